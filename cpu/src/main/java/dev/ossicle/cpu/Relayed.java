package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.Strips.Source;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The matrices of one layer that were re-laid; null for those that stay where they are. */
record Relayed(
        @Nullable Strips query,
        @Nullable Strips key,
        @Nullable Strips value,
        @Nullable Strips out,
        Strips @Nullable [] experts) {
    /** What is left where it is. */
    static final Relayed NOTHING = new Relayed(null, null, null, null, null);

    /** Strips that one task fills. */
    private static final int TASK_STRIPS = 32;

    private record Task(int source, int from, int to) {}

    /** Gate and up projection: each strip has 32 rows of the one, then the same of the other. */
    Strips gateUp(int expert) {
        return expert(2 * expert);
    }

    Strips down(int expert) {
        return expert(2 * expert + 1);
    }

    private Strips expert(int index) {
        if (experts == null) {
            throw new IllegalStateException("the experts were not re-laid");
        }
        return experts[index];
    }

    /**
     * What may be re-laid of a layer: four matrices of the attention, then two pieces of each expert, if all of them are
     * MXFP4.
     */
    static List<Source> sources(LayerWeights layer) {
        List<Source> sources = new ArrayList<>(List.of(
                Source.dense(layer.query()),
                Source.dense(layer.key()),
                Source.dense(layer.value()),
                Source.dense(layer.out())));
        if (layer.experts().stream()
                .allMatch(each ->
                        Strips.isMxFp4(each.gate()) && Strips.isMxFp4(each.up()) && Strips.isMxFp4(each.down()))) {
            for (ExpertWeights expert : layer.experts()) {
                sources.add(Source.pair(expert.gate(), expert.up()));
                sources.add(Source.single(expert.down()));
            }
        }
        return sources;
    }

    /** Copies what can be re-laid of a layer, unless it is there, and lets go of the pages of the file that hold it. */
    static Relayed of(LayerWeights layer, Team team, StripMemory memory) {
        List<Source> sources = sources(layer);
        @Nullable Strips[] strips = copy(sources, team, memory);
        Strips[] experts = sources.size() == 4 ? null : new Strips[sources.size() - 4];
        for (int i = 4; experts != null && i < strips.length; i++) {
            Strips each = strips[i];
            if (each == null) {
                experts = null;
                break;
            }
            experts[i - 4] = each;
        }
        return new Relayed(strips[0], strips[1], strips[2], strips[3], experts);
    }

    /** One matrix on its own. */
    static @Nullable Strips of(Matrix matrix, Team team, StripMemory memory) {
        return copy(List.of(Source.dense(matrix)), team, memory)[0];
    }

    /** What all of a model's take, part by part. */
    static long bytes(ModelWeights weights) {
        long bytes = StripMemory.padded(Source.dense(weights.unembedding()).bytes());
        for (LayerWeights layer : weights.layers()) {
            bytes += bytes(layer);
        }
        return bytes;
    }

    static long bytes(LayerWeights layer) {
        return StripMemory.padded(bytes(sources(layer)));
    }

    /** What these take in memory. */
    private static long bytes(List<Source> sources) {
        return sources.stream().mapToLong(Source::bytes).sum();
    }

    /** Null for what cannot be re-laid, or has a scale that is not a number. */
    static @Nullable Strips[] copy(List<Source> sources, Team team, StripMemory memory) {
        MemorySegment data = memory.next(bytes(sources));
        @Nullable Strips[] strips = new Strips[sources.size()];
        List<Task> tasks = new ArrayList<>();
        long offset = 0;
        for (int i = 0; i < strips.length; i++) {
            Source source = sources.get(i);
            Strips target = source.at(data, offset);
            strips[i] = target;
            offset += source.bytes();
            for (int strip = 0; target != null && strip < target.count(); strip += TASK_STRIPS) {
                tasks.add(new Task(i, strip, Math.min(strip + TASK_STRIPS, target.count())));
            }
        }
        if (memory.isFilled()) {
            return strips;
        }
        boolean[] broken = new boolean[tasks.size()];
        team.run(tasks.size(), (index, thread) -> {
            Task task = tasks.get(index);
            Strips target = strips[task.source];
            broken[index] = target != null && !target.fill(sources.get(task.source), task.from, task.to);
        });
        for (int i = 0; i < broken.length; i++) {
            if (broken[i]) {
                strips[tasks.get(i).source] = null;
            }
        }
        for (int i = 0; i < strips.length; i++) {
            if (strips[i] != null) {
                sources.get(i).release(memory);
            }
        }
        return strips;
    }
}
