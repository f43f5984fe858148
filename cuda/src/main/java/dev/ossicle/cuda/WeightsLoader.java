package dev.ossicle.cuda;

import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Rope;
import dev.ossicle.engine.LoadProgress;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Brings the weights from a mapped checkpoint to a GPU. Each of some threads reads pieces of it into one of its two pinned
 * buffers while the other is on its way.
 */
final class WeightsLoader {
    /** Threads beyond these do not bring more through the bus. */
    private static final int MOST_THREADS = 8;

    private static final long PROGRESS_MILLIS = 100;

    /** Rows that fit a buffer. */
    private record Piece(String what, WeightRows from, int first, int count, DeviceMemory to) {
        long bytes() {
            return (long) count * from.rowBytes();
        }
    }

    private final Path path;
    private final int bufferBytes;
    private final List<Piece> pieces = new ArrayList<>();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicLong done = new AtomicLong();
    private volatile @Nullable Throwable failure;

    /** @param path of the checkpoint, for messages */
    WeightsLoader(Path path, int bufferBytes) {
        this.path = path;
        this.bufferBytes = bufferBytes;
    }

    /** Why some matrices cannot be brought, with what to do about it; empty if all can. */
    static Optional<String> problem(ModelWeights weights, int hostExpertLayers) {
        for (int l = hostExpertLayers; l < weights.layers().size(); l++) {
            for (ExpertWeights expert : weights.layers().get(l).experts()) {
                for (Matrix matrix : List.of(expert.gate(), expert.up(), expert.down())) {
                    if (!(matrix instanceof MxFp4Matrix || matrix instanceof GgufMxFp4Matrix)) {
                        return Optional.of("the experts of layer " + l + " are " + matrix.format()
                                + ", the GPU's kernels read MXFP4 alone: take a file with MXFP4 experts, or"
                                + " --device cpu");
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Everything that {@code to} has room for. */
    void add(ModelConfig config, ModelWeights weights, DeviceWeights to) {
        add("the embedding", WeightRows.bf16(weights.embedding()), to.embedding());
        for (int l = 0; l < config.layers(); l++) {
            add("layer " + l + ", ", weights.layers().get(l), to.layers().get(l));
        }
        add("the last norm", vector(weights.norm()), to.norm());
        add("the unembedding", WeightRows.fp16(weights.unembedding()), to.unembedding());
        add("the rotary angles", angles(config, (int) (to.rope().bytes() / (4L * config.headDim()))), to.rope());
    }

    private void add(String layer, LayerWeights from, DeviceWeights.Layer to) {
        add(layer + "attention norm", vector(from.attentionNorm()), to.attentionNorm());
        WeightRows query = WeightRows.fp16(from.query());
        WeightRows key = WeightRows.fp16(from.key());
        WeightRows value = WeightRows.fp16(from.value());
        inTurn(layer + "query, key and value", to.qkv(), query, key, value);
        inTurn(
                layer + "biases of query, key and value",
                to.qkvBias(),
                vector(from.queryBias()),
                vector(from.keyBias()),
                vector(from.valueBias()));
        add(layer + "sinks", vector(from.sinks()), to.sinks());
        add(layer + "out", WeightRows.fp16(from.out()), to.out());
        add(layer + "bias of out", vector(from.outBias()), to.outBias());
        add(layer + "norm of the experts", vector(from.mlpNorm()), to.mlpNorm());
        add(layer + "router", WeightRows.floats(from.router()), to.router());
        add(layer + "bias of the router", vector(from.routerBias()), to.routerBias());
        DeviceWeights.Experts experts = to.experts();
        if (experts == null) {
            return;
        }
        int count = from.experts().size();
        for (int e = 0; e < count; e++) {
            ExpertWeights expert = from.experts().get(e);
            String gateUp = layer + "gate and up of expert " + e;
            String down = layer + "down of expert " + e;
            WeightRows codes = WeightRows.alternating(WeightRows.codes(expert.gate()), WeightRows.codes(expert.up()));
            WeightRows scales =
                    WeightRows.alternating(WeightRows.scales(expert.gate()), WeightRows.scales(expert.up()));
            add(gateUp, codes, part(experts.gateUpCodes(), e, count));
            add(gateUp, scales, part(experts.gateUpScales(), e, count));
            add(down, WeightRows.codes(expert.down()), part(experts.downCodes(), e, count));
            add(down, WeightRows.scales(expert.down()), part(experts.downScales(), e, count));
        }
        add(
                layer + "biases of gate and up",
                WeightRows.alternatingFloats(from.gateBias(), from.upBias()),
                experts.gateUpBias());
        add(layer + "biases of down", WeightRows.floats(from.downBias()), experts.downBias());
    }

    /** One of so many equal parts. */
    private static DeviceMemory part(DeviceMemory whole, int index, int count) {
        long bytes = whole.bytes() / count;
        return whole.slice(index * bytes, bytes);
    }

    private static WeightRows vector(float[] values) {
        return WeightRows.floats(F32Matrix.of(1, values.length, values));
    }

    /** (cos, sin) of each pair, with YaRN's factor in them. */
    private static WeightRows angles(ModelConfig config, int positions) {
        Rope rope = new Rope(config);
        int rowBytes = 4 * config.headDim();
        return new WeightRows(positions, rowBytes, (first, count, into) -> {
            for (int i = 0; i < count; i++) {
                for (int pair = 0; pair < config.headDim() / 2; pair++) {
                    long at = (long) i * rowBytes + 8L * pair;
                    into.set(WeightRows.FLOAT, at, (float) rope.cos(first + i, pair));
                    into.set(WeightRows.FLOAT, at + 4, (float) rope.sin(first + i, pair));
                }
            }
        });
    }

    private void inTurn(String what, DeviceMemory to, WeightRows... all) {
        long offset = 0;
        for (WeightRows each : all) {
            long bytes = (long) each.rows() * each.rowBytes();
            add(what, each, to.slice(offset, bytes));
            offset += bytes;
        }
    }

    private void add(String what, WeightRows from, DeviceMemory to) {
        int most = Math.max(1, bufferBytes / from.rowBytes());
        for (int first = 0; first < from.rows(); first += most) {
            int count = Math.min(most, from.rows() - first);
            long offset = (long) first * from.rowBytes();
            pieces.add(new Piece(what, from, first, count, to.slice(offset, (long) count * from.rowBytes())));
        }
    }

    /** Brings all that was added; when this returns it is there. */
    void load(Device device, int threads, LoadProgress progress) {
        long largest = pieces.stream().mapToLong(Piece::bytes).max().orElse(1);
        long total = pieces.stream().mapToLong(Piece::bytes).sum();
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, MOST_THREADS); i++) {
            readers.add(Thread.ofPlatform().name("ossicle-loader-" + i).daemon().start(() -> read(device, largest)));
        }
        // Whatever happens, they have ended before the memory that they fill is freed.
        boolean interrupted = false;
        for (Thread reader : readers) {
            while (reader.isAlive()) {
                try {
                    reader.join(PROGRESS_MILLIS);
                    progress.bytes(done.get(), total);
                } catch (InterruptedException e) {
                    interrupted = true;
                    fail(new IllegalStateException("interrupted while loading the model"));
                } catch (RuntimeException e) {
                    fail(e);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /** The others stop after their pieces at hand. */
    private synchronized void fail(Throwable e) {
        if (failure == null) {
            failure = e;
        }
    }

    private void read(Device device, long buffer) {
        try {
            device.makeCurrent();
            try (Stream stream = Stream.create(device);
                    Event sentA = Event.create(device);
                    Event sentB = Event.create(device);
                    PinnedMemory a = PinnedMemory.allocate(device, buffer);
                    PinnedMemory b = PinnedMemory.allocate(device, buffer)) {
                try {
                    for (boolean even = true; failure == null; even = !even) {
                        int index = next.getAndIncrement();
                        if (index >= pieces.size()) {
                            break;
                        }
                        Piece piece = pieces.get(index);
                        send(piece, even ? a : b, even ? sentA : sentB, stream);
                        done.addAndGet(piece.bytes());
                    }
                } finally {
                    stream.synchronize(); // before the buffers are freed
                }
            }
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    private void send(Piece piece, PinnedMemory through, Event sent, Stream stream) {
        sent.synchronize();
        MemorySegment part = through.segment().asSlice(0, piece.bytes());
        try {
            piece.from.write(piece.first, piece.count, part);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(path, piece.what + ": " + e.getMessage(), e);
        }
        stream.copy(part, piece.to);
        sent.record(stream);
    }
}
