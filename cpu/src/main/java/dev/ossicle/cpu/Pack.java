package dev.ossicle.cpu;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.Strips.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a checkpoint as the fast kernels want them, in a file beside it that is mapped instead of copied: a page with
 * a magic number, a version, the length and a fingerprint of the checkpoint, then what {@link Relayed} makes of each layer and
 * of the unembedding. It is of no use without the checkpoint, which has the rest.
 */
public final class Pack {
    private static final byte[] MAGIC = "OSSICLE-PACK".getBytes(StandardCharsets.US_ASCII);
    /** To be raised whenever the layout of {@link Strips} changes. */
    private static final int VERSION = 3;

    private static final int HEADER = 4096;
    private static final int FINGERPRINT_AT = 32;
    private static final int LENGTH_AT = 16;
    private static final int VERSION_AT = 12;
    /** Numbers at the start of the first and the last row of a matrix that go into the fingerprint. */
    private static final int SAMPLE = 32;

    private Pack() {}

    /** Where the pack of a checkpoint is, if there is one: beside a GGUF file, in a folder. */
    public static Path beside(Checkpoint checkpoint) {
        Path path = checkpoint.path();
        return Files.isDirectory(path)
                ? path.resolve("ossicle.pack")
                : path.resolveSibling(path.getFileName() + ".pack");
    }

    /**
     * Writes the pack of a checkpoint: to a file of another name first, which takes the right one when it is complete.
     *
     * @param progress told of bytes done, and of all
     * @return its bytes
     * @throws CheckpointException if the checkpoint has nothing to be re-laid, or a scale that is not a number
     */
    public static long write(Checkpoint checkpoint, Path target, int threads, BiConsumer<Long, Long> progress)
            throws IOException {
        ModelWeights weights = checkpoint.baseWeights();
        long bytes = HEADER + Relayed.bytes(weights);
        if (bytes == HEADER) {
            throw new CheckpointException(
                    checkpoint.path(), "there is nothing to pack: it has neither MXFP4 nor Q8_0 matrices");
        }
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        boolean done = false;
        try (FileChannel channel = FileChannel.open(
                        partial,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
                Arena arena = Arena.ofShared();
                Team team = new Team(threads)) {
            long free = Files.getFileStore(partial).getUsableSpace();
            if (free < bytes) {
                throw new IOException(target + ": needs " + bytes + " bytes, " + free + " are free on its disk");
            }
            channel.write(ByteBuffer.allocate(1), bytes - 1);
            MemorySegment file = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            StripMemory memory = StripMemory.of(file.asSlice(HEADER), false);
            long filled = HEADER;
            for (LayerWeights layer : weights.layers()) {
                List<Source> sources = Relayed.sources(layer);
                check(checkpoint, Relayed.copy(sources, team, memory), sources);
                filled += Relayed.bytes(layer);
                progress.accept(filled, bytes);
            }
            List<Source> last = List.of(Source.dense(weights.unembedding()));
            check(checkpoint, Relayed.copy(last, team, memory), last);
            MemorySegment.copy(header(checkpoint, bytes), 0, file, ValueLayout.JAVA_BYTE, 0, HEADER);
            file.force();
            done = true;
        } finally {
            if (!done) {
                Files.deleteIfExists(partial);
            }
        }
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return bytes;
    }

    private static void check(Checkpoint checkpoint, @Nullable Strips[] strips, List<Source> sources) {
        for (int i = 0; i < strips.length; i++) {
            if (strips[i] == null && sources.get(i).format() != null) {
                throw new CheckpointException(
                        checkpoint.path(),
                        "a matrix of " + sources.get(i).first().rows() + " rows has a scale that is not a number");
            }
        }
    }

    /**
     * Maps the pack beside a checkpoint.
     *
     * @return null if there is none
     * @throws CheckpointException if there is one that is damaged, of another version or of another checkpoint
     */
    static @Nullable StripMemory map(Checkpoint checkpoint, Arena arena) {
        Path path = beside(checkpoint);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long bytes = HEADER + Relayed.bytes(checkpoint.baseWeights());
            byte[] want = header(checkpoint, bytes);
            ByteBuffer got = ByteBuffer.allocate(HEADER);
            while (got.hasRemaining() && channel.read(got, got.position()) >= 0) {}
            String problem = !Arrays.equals(got.array(), 0, VERSION_AT, want, 0, VERSION_AT)
                    ? "it is not a pack"
                    : !Arrays.equals(got.array(), VERSION_AT, LENGTH_AT, want, VERSION_AT, LENGTH_AT)
                            ? "it is of another version of Ossicle"
                            : !Arrays.equals(got.array(), want)
                                    ? "it is of another checkpoint"
                                    : channel.size() != bytes
                                            ? "it has " + channel.size() + " bytes, should have " + bytes
                                            : null;
            if (problem != null) {
                throw new CheckpointException(path, problem + ": make it again with 'ossicle pack', or delete it");
            }
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
            return StripMemory.of(file.asSlice(HEADER), true);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": " + e.getMessage(), e);
        }
    }

    private static byte[] header(Checkpoint checkpoint, long bytes) {
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.put(0, MAGIC).putInt(VERSION_AT, VERSION).putLong(LENGTH_AT, bytes);
        header.put(FINGERPRINT_AT, fingerprint(checkpoint));
        return header.array();
    }

    /** Of the configuration and of some numbers of most matrices: all of them would take as long as packing. */
    private static byte[] fingerprint(Checkpoint checkpoint) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
        digest.update(checkpoint.config().toString().getBytes(StandardCharsets.UTF_8));
        List<Matrix> matrices = new ArrayList<>(List.of(checkpoint.baseWeights().unembedding()));
        for (LayerWeights layer : checkpoint.baseWeights().layers()) {
            ExpertWeights expert = layer.experts().getLast();
            matrices.addAll(List.of(layer.query(), layer.key(), layer.value(), layer.out()));
            matrices.addAll(List.of(expert.gate(), expert.up(), expert.down()));
        }
        ByteBuffer sample = ByteBuffer.allocate(Float.BYTES * 2 * SAMPLE);
        for (Matrix matrix : matrices) {
            sample.clear();
            for (int i = 0; i < Math.min(SAMPLE, matrix.columns()); i++) {
                sample.putFloat(matrix.get(0, i)).putFloat(matrix.get(matrix.rows() - 1, i));
            }
            digest.update(sample.flip());
        }
        return digest.digest();
    }
}
