package dev.ossicle.train;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * Everything that a training continues from. The data needs no place in it: each batch follows from the seed and the
 * number of its step.
 *
 * @param seed of weights and data
 * @param steps done
 * @param tokens seen
 * @param seconds spent in training
 * @param weights the master weights, in float32
 * @param mean of the gradient, as {@link Optimiser} keeps it
 * @param square of the gradient, as {@link Optimiser} keeps it
 */
record TrainingState(
        long seed, long steps, long tokens, double seconds, float[] weights, float[] mean, float[] square) {
    private static final byte[] MAGIC = "OSSICLE TRAINING 1\n".getBytes(UTF_8);
    private static final int HEADER = MAGIC.length + 3 * Long.BYTES + Double.BYTES + Integer.BYTES;

    /** The state before the first step. */
    static TrainingState start(long seed, float[] weights) {
        return new TrainingState(seed, 0, 0, 0, weights, new float[weights.length], new float[weights.length]);
    }

    /** Writes a file that is either the old one or the whole new one, whatever happens meanwhile. */
    void save(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size(weights.length)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(MAGIC)
                .putLong(seed)
                .putLong(steps)
                .putLong(tokens)
                .putDouble(seconds)
                .putInt(weights.length);
        for (float[] array : new float[][] {weights, mean, square}) {
            bytes.asFloatBuffer().put(array);
            bytes.position(bytes.position() + Float.BYTES * array.length);
        }
        bytes.putLong(checksum(bytes));
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            bytes.flip();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws IOException if the file is missing, damaged or belongs to a model of another shape
     */
    static TrainingState load(Path file, ParameterLayout layout) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[MAGIC.length];
        if (bytes.limit() < HEADER || !ByteBuffer.wrap(MAGIC).equals(ByteBuffer.wrap(get(bytes, magic)))) {
            throw new IOException(file + ": not a training state");
        }
        long seed = bytes.getLong();
        long steps = bytes.getLong();
        long tokens = bytes.getLong();
        double seconds = bytes.getDouble();
        int count = bytes.getInt();
        if (count != layout.size()) {
            throw new IOException(file + ": holds " + count + " parameters, the model has " + layout.size());
        }
        if (bytes.limit() != size(count)) {
            throw new IOException(file + ": " + bytes.limit() + " bytes, must be " + size(count) + "; it is cut off");
        }
        float[][] arrays = new float[3][count];
        for (float[] array : arrays) {
            bytes.asFloatBuffer().get(array);
            bytes.position(bytes.position() + Float.BYTES * count);
        }
        if (checksum(bytes) != bytes.getLong()) {
            throw new IOException(file + ": the checksum is wrong; the file is damaged");
        }
        return new TrainingState(seed, steps, tokens, seconds, arrays[0], arrays[1], arrays[2]);
    }

    private static byte[] get(ByteBuffer bytes, byte[] into) {
        bytes.get(into);
        return into;
    }

    private static int size(int parameters) {
        return Math.toIntExact(HEADER + 3L * Float.BYTES * parameters + Long.BYTES);
    }

    /** Of everything before the buffer's position. */
    private static long checksum(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate().flip());
        return sum.getValue();
    }
}
