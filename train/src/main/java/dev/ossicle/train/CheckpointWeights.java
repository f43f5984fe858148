package dev.ossicle.train;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Between a checkpoint's matrices and the flat array of a {@link ParameterLayout}; exact both ways. */
final class CheckpointWeights {
    private final ParameterLayout layout;
    private final ModelConfig config;
    private final float[] flat;

    private CheckpointWeights(ParameterLayout layout, float[] flat) {
        this.layout = layout;
        this.config = layout.config();
        this.flat = flat;
    }

    /** Expands a checkpoint into a new flat array. */
    static float[] flatten(ModelWeights weights, ParameterLayout layout) {
        CheckpointWeights into = new CheckpointWeights(layout, new float[layout.size()]);
        into.put("embedding", weights.embedding());
        for (int i = 0; i < layout.config().layers(); i++) {
            into.putLayer(i + ".", weights.layers().get(i));
        }
        into.put("norm", weights.norm());
        into.put("unembedding", weights.unembedding());
        return into.flat;
    }

    private void putLayer(String prefix, LayerWeights layer) {
        put(prefix + "attentionNorm", layer.attentionNorm());
        put(prefix + "qkv", layer.query(), layer.key(), layer.value());
        put(prefix + "qkvBias", layer.queryBias(), layer.keyBias(), layer.valueBias());
        put(prefix + "sinks", layer.sinks());
        put(prefix + "out", layer.out());
        put(prefix + "outBias", layer.outBias());
        put(prefix + "mlpNorm", layer.mlpNorm());
        put(prefix + "router", layer.router());
        put(prefix + "routerBias", layer.routerBias());
        List<ExpertWeights> experts = layer.experts();
        put(prefix + "gate", experts.stream().map(ExpertWeights::gate).toArray(Matrix[]::new));
        put(prefix + "gateBias", layer.gateBias());
        put(prefix + "up", experts.stream().map(ExpertWeights::up).toArray(Matrix[]::new));
        put(prefix + "upBias", layer.upBias());
        int down = layout.get(prefix + "down").offset();
        for (int row = 0; row < config.hidden(); row++) {
            for (ExpertWeights expert : experts) {
                expert.down().row(row, flat, down);
                down += config.intermediate();
            }
        }
        put(prefix + "downBias", layer.downBias());
    }

    private void put(String name, float[]... parts) {
        int at = layout.get(name).offset();
        for (float[] part : parts) {
            System.arraycopy(part, 0, flat, at, part.length);
            at += part.length;
        }
    }

    private void put(String name, Matrix... parts) {
        int at = layout.get(name).offset();
        for (Matrix part : parts) {
            for (int row = 0; row < part.rows(); row++) {
                part.row(row, flat, at);
                at += part.columns();
            }
        }
    }

    /** The flat array as a checkpoint's matrices, copied. */
    static ModelWeights matrices(ParameterLayout layout, float[] flat) {
        CheckpointWeights from = new CheckpointWeights(layout, flat);
        ModelConfig config = layout.config();
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(from.layer(i + "."));
        }
        return new ModelWeights(
                from.matrix("embedding", 0, config.vocabulary()),
                layers,
                from.vector("norm", 0, config.hidden()),
                from.matrix("unembedding", 0, config.vocabulary()));
    }

    private LayerWeights layer(String prefix) {
        int hidden = config.hidden();
        int queries = config.queryWidth();
        int keys = config.kvWidth();
        int experts = config.experts();
        int inner = config.intermediate();
        List<ExpertWeights> matrices = new ArrayList<>();
        for (int expert = 0; expert < experts; expert++) {
            matrices.add(new ExpertWeights(
                    matrix(prefix + "gate", expert * inner, inner),
                    matrix(prefix + "up", expert * inner, inner),
                    down(prefix + "down", expert)));
        }
        return new LayerWeights(
                vector(prefix + "attentionNorm", 0, hidden),
                matrix(prefix + "qkv", 0, queries),
                vector(prefix + "qkvBias", 0, queries),
                matrix(prefix + "qkv", queries, keys),
                vector(prefix + "qkvBias", queries, keys),
                matrix(prefix + "qkv", queries + keys, keys),
                vector(prefix + "qkvBias", queries + keys, keys),
                vector(prefix + "sinks", 0, config.heads()),
                matrix(prefix + "out", 0, hidden),
                vector(prefix + "outBias", 0, hidden),
                vector(prefix + "mlpNorm", 0, hidden),
                matrix(prefix + "router", 0, experts),
                vector(prefix + "routerBias", 0, experts),
                matrices,
                F32Matrix.of(experts, inner, vector(prefix + "gateBias", 0, experts * inner)),
                F32Matrix.of(experts, inner, vector(prefix + "upBias", 0, experts * inner)),
                matrix(prefix + "downBias", 0, experts));
    }

    private Matrix matrix(String name, int firstRow, int rows) {
        int columns = layout.get(name).columns();
        return F32Matrix.of(rows, columns, vector(name, firstRow * columns, rows * columns));
    }

    /** Expert after expert lies along each row of the flat form. */
    private Matrix down(String name, int expert) {
        int inner = config.intermediate();
        float[] values = new float[config.hidden() * inner];
        for (int row = 0; row < config.hidden(); row++) {
            int from = layout.get(name).offset() + (row * config.experts() + expert) * inner;
            System.arraycopy(flat, from, values, row * inner, inner);
        }
        return F32Matrix.of(config.hidden(), inner, values);
    }

    private float[] vector(String name, int from, int length) {
        int at = layout.get(name).offset() + from;
        return Arrays.copyOfRange(flat, at, at + length);
    }
}
