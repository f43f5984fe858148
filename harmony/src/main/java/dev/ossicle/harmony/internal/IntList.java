package dev.ossicle.harmony.internal;

import java.util.Arrays;

/** A growing array of ints. Not thread-safe. */
public final class IntList {
    private int[] values;
    private int size;

    public IntList(int capacity) {
        values = new int[Math.max(capacity, 8)];
    }

    public void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, grown(1));
        }
        values[size++] = value;
    }

    public void addAll(int[] more) {
        if (more.length > values.length - size) {
            values = Arrays.copyOf(values, grown(more.length));
        }
        System.arraycopy(more, 0, values, size, more.length);
        size += more.length;
    }

    public int get(int index) {
        assert index < size;
        return values[index];
    }

    public void set(int index, int value) {
        assert index < size;
        values[index] = value;
    }

    public int size() {
        return size;
    }

    public void clear() {
        size = 0;
    }

    public int[] toArray() {
        return Arrays.copyOf(values, size);
    }

    private int grown(int more) {
        return Math.max(Math.addExact(size, more), values.length + (values.length >> 1));
    }
}
