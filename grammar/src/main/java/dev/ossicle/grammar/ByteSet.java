package dev.ossicle.grammar;

/** A set of byte values, 64 in each part. */
record ByteSet(long a, long b, long c, long d) {
    static final ByteSet NONE = new ByteSet(0, 0, 0, 0);

    static ByteSet of(int value) {
        return range(value, value);
    }

    /** From {@code from} to {@code to}, both in it. */
    static ByteSet range(int from, int to) {
        return new ByteSet(part(from, to, 0), part(from, to, 64), part(from, to, 128), part(from, to, 192));
    }

    private static long part(int from, int to, int base) {
        int low = Math.max(from - base, 0);
        int high = Math.min(to - base, 63);
        return low > high ? 0 : -1L << low & -1L >>> 63 - high;
    }

    boolean contains(int value) {
        long part = switch (value >> 6) {
            case 0 -> a;
            case 1 -> b;
            case 2 -> c;
            default -> d;
        };
        return (part >>> value & 1) != 0;
    }

    ByteSet or(ByteSet other) {
        return new ByteSet(a | other.a, b | other.b, c | other.c, d | other.d);
    }

    ByteSet and(ByteSet other) {
        return new ByteSet(a & other.a, b & other.b, c & other.c, d & other.d);
    }

    boolean intersects(ByteSet other) {
        return !and(other).isEmpty();
    }

    boolean isEmpty() {
        return (a | b | c | d) == 0;
    }

    int size() {
        return Long.bitCount(a) + Long.bitCount(b) + Long.bitCount(c) + Long.bitCount(d);
    }

    @Override
    public String toString() {
        return Long.toHexString(a) + '.' + Long.toHexString(b) + '.' + Long.toHexString(c) + '.' + Long.toHexString(d);
    }
}
