package dev.ossicle.cpu;

import dev.ossicle.engine.KvSequence;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Every key and value of a sequence on the heap, windowed layers included, so that any length can be gone back to. */
final class ReferenceKvSequence implements KvSequence {
    private final ReferenceModelRunner runner;
    private final int maxContext;
    /** [L][position] of [K*D]. */
    private final List<List<double[]>> keys = new ArrayList<>();

    private final List<List<double[]>> values = new ArrayList<>();
    private int length;
    private boolean closed;

    ReferenceKvSequence(ReferenceModelRunner runner, int layers, int maxContext) {
        this.runner = runner;
        this.maxContext = maxContext;
        for (int layer = 0; layer < layers; layer++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    boolean isOf(ReferenceModelRunner other) {
        return runner == other;
    }

    /** Rows that follow the cached positions; they count once {@link #advance} says so. */
    void append(int layer, double[][] k, double[][] v) {
        keys.get(layer).addAll(List.of(k));
        values.get(layer).addAll(List.of(v));
    }

    void advance(int positions) {
        length += positions;
    }

    double[] key(int layer, int position) {
        return keys.get(layer).get(position);
    }

    double[] value(int layer, int position) {
        return values.get(layer).get(position);
    }

    @Override
    public int length() {
        checkOpen();
        return length;
    }

    @Override
    public int maxContext() {
        return maxContext;
    }

    @Override
    public int truncatableTo() {
        checkOpen();
        return 0;
    }

    @Override
    public void truncate(int newLength) {
        checkOpen();
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("length is " + newLength + ", must be between 0 and " + length);
        }
        for (int layer = 0; layer < keys.size(); layer++) {
            keys.get(layer).subList(newLength, length).clear();
            values.get(layer).subList(newLength, length).clear();
        }
        length = newLength;
    }

    @Override
    public long bytes() {
        checkOpen();
        long width = length == 0 ? 0 : keys.getFirst().getFirst().length;
        return 2 * width * Double.BYTES * length * keys.size();
    }

    @Override
    public KvSequence fork() {
        checkOpen();
        ReferenceKvSequence fork = new ReferenceKvSequence(runner, keys.size(), maxContext);
        for (int layer = 0; layer < keys.size(); layer++) {
            fork.keys.get(layer).addAll(keys.get(layer)); // rows are never changed
            fork.values.get(layer).addAll(values.get(layer));
        }
        fork.length = length;
        runner.add(fork);
        return fork;
    }

    void write(DataOutputStream out) throws IOException {
        out.writeInt(length);
        for (int layer = 0; layer < keys.size(); layer++) {
            for (int position = 0; position < length; position++) {
                for (double each : keys.get(layer).get(position)) {
                    out.writeDouble(each);
                }
                for (double each : values.get(layer).get(position)) {
                    out.writeDouble(each);
                }
            }
        }
    }

    /** @param width K*D */
    void read(DataInputStream in, int width) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > maxContext) {
            throw new IOException("a sequence of " + count + " positions, the context is " + maxContext);
        }
        for (int layer = 0; layer < keys.size(); layer++) {
            for (int position = 0; position < count; position++) {
                keys.get(layer).add(row(in, width));
                values.get(layer).add(row(in, width));
            }
        }
        length = count;
    }

    private static double[] row(DataInputStream in, int width) throws IOException {
        double[] row = new double[width];
        for (int i = 0; i < width; i++) {
            row[i] = in.readDouble();
        }
        return row;
    }

    @Override
    public void close() {
        closed = true;
        runner.forget(this);
        keys.clear();
        values.clear();
    }

    private void checkOpen() {
        if (closed || runner.isClosed()) {
            throw new IllegalStateException("the sequence is closed");
        }
    }
}
