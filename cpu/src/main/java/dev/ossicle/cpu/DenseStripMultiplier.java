package dev.ossicle.cpu;

import dev.ossicle.cpu.Strips.Format;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Multiplies strips of Q8_0 or BF16 with float32 activations. One thread's scratch memory goes with it. */
final class DenseStripMultiplier {
    private static final int ROWS = Strips.ROWS;
    private static final int TILE = Q8StripKernels.TILE;

    /** Scales of a block that has none: floats. */
    private static final byte[] ONES = ones();

    /** Blocks that are expanded together: with their activations, half of a first-level cache of 32 kB. */
    private static final int CHUNK = 4;

    /** Vectors that are multiplied with a chunk of each strip before the next chunk: 32 kB, and 64 kB of results for eight strips. */
    private static final int TOGETHER = 64;

    private final LookAhead ahead = new LookAhead();

    /** Blocks as they are in the strip. */
    private final byte[] w = new byte[CHUNK * Format.BF16.blockBytes + Lanes.APART];

    /** The same as floats [CHUNK, 32 columns, ROWS]. */
    private final float[] expanded = new float[CHUNK * 32 * ROWS + Lanes.APART];

    private static byte[] ones() {
        ByteBuffer ones = ByteBuffer.allocate(4 * ROWS).order(Lanes.LITTLE_ENDIAN);
        while (ones.hasRemaining()) {
            ones.putFloat(1);
        }
        return ones.array();
    }

    /**
     * Some strips times vectors of activations.
     *
     * @param first of the strips
     * @param count how many
     * @param xAt where each vector begins in x; those from index {@code from} on are meant
     * @param packed the same vectors, if there are {@link Q8StripKernels#TILE} or more
     * @param out [count, vectors, ROWS]
     */
    void multiply(
            Strips strips,
            int first,
            int count,
            float[] x,
            int[] xAt,
            int from,
            int vectors,
            PackedRows packed,
            float[] out) {
        Arrays.fill(out, 0, count * vectors * ROWS, 0);
        if (vectors < TILE && Lanes.MANY_REGISTERS) {
            multiplyPairs(strips, first, count, x, xAt, from, vectors, out);
        } else if (vectors < TILE) {
            for (int s = 0; s < count; s++) {
                multiplyFew(strips, first + s, x, xAt, from, vectors, out, s * vectors * ROWS);
            }
        } else {
            for (int v = 0; v < vectors; v += TOGETHER) {
                multiplyPacked(
                        strips, first, count, x, xAt, from, v, Math.min(v + TOGETHER, vectors), vectors, packed, out);
            }
        }
    }

    /** From the second vector on, the strip comes from the cache. */
    private void multiplyFew(
            Strips strips, int index, float[] x, int[] xAt, int from, int vectors, float[] out, int outAt) {
        long strip = strips.address(index);
        for (int i = 0; i < vectors && strips.format() == Format.BF16; i++) {
            Bf16StripKernels.dot(strip, strips.blocks(), x, xAt[from + i], out, outAt + i * ROWS);
        }
        for (int i = 0; i < vectors && strips.format() == Format.Q8_0; i++) {
            long next = i + 1 < vectors ? strip : strips.addressAfter(index);
            ahead.begin(strip);
            int half = Q8StripKernels.dot(
                    strip, strips.blocks(), x, xAt[from + i], out, outAt + i * ROWS, ahead.w, ahead.half, next);
            ahead.end(half, next);
        }
    }

    /**
     * A strip of the first half and one of the second together, so that each half is read from one end to the other. A strip
     * that is left over is its own partner: it has the same results twice.
     */
    private static void multiplyPairs(
            Strips strips, int first, int count, float[] x, int[] xAt, int from, int vectors, float[] out) {
        int half = (count + 1) / 2;
        for (int s = 0; s < half; s++) {
            int other = s + half < count ? s + half : s;
            long at = strips.address(first + s);
            long otherAt = strips.address(first + other);
            for (int i = 0; i < vectors; i++) {
                int outAt = (s * vectors + i) * ROWS;
                int otherOutAt = (other * vectors + i) * ROWS;
                if (strips.format() == Format.BF16) {
                    Bf16StripKernels.dotPair(at, otherAt, strips.blocks(), x, xAt[from + i], out, outAt, otherOutAt);
                } else {
                    Q8StripKernels.dotPair(at, otherAt, strips.blocks(), x, xAt[from + i], out, outAt, otherOutAt);
                }
            }
        }
    }

    private void expand(Strips strips, int index, int block, int count) {
        strips.read(strips.strip(index), block, count, w);
        for (int i = 0; i < count; i++) {
            if (strips.format() == Format.BF16) {
                Bf16StripKernels.expand(w, i * Format.BF16.blockBytes, expanded, i * 32 * ROWS);
            } else {
                Q8StripKernels.expand(w, i * Format.Q8_0.blockBytes, expanded, i * 32 * ROWS);
            }
        }
    }

    /** Vectors {@code begin .. end - 1}: what is read of them, and what is written, stays in the second-level cache. */
    private void multiplyPacked(
            Strips strips,
            int first,
            int count,
            float[] x,
            int[] xAt,
            int from,
            int begin,
            int end,
            int vectors,
            PackedRows packed,
            float[] out) {
        int columns = 32 * strips.blocks();
        int whole = end / TILE * TILE;
        byte[] scales = strips.format() == Format.BF16 ? ONES : w;
        for (int block = 0; block < strips.blocks(); block += CHUNK) {
            int blocks = Math.min(CHUNK, strips.blocks() - block);
            for (int s = 0; s < count; s++) {
                expand(strips, first + s, block, blocks);
                int outAt = s * vectors * ROWS;
                for (int v = begin; v < whole; v += TILE) {
                    multiplyTile(scales, packed.values, v * columns + 32 * block * TILE, blocks, out, outAt + v * ROWS);
                }
                for (int v = whole; v < end; v++) {
                    multiplyOne(scales, x, xAt[from + v] + 32 * block, blocks, out, outAt + v * ROWS);
                }
            }
        }
    }

    private void multiplyTile(byte[] scales, float[] x, int xAt, int blocks, float[] out, int outAt) {
        for (int i = 0; i < blocks; i++) {
            Q8StripKernels.tile(
                    expanded, i * 32 * ROWS, scales, scalesAt(scales, i), x, xAt + i * 32 * TILE, out, outAt);
        }
    }

    private void multiplyOne(byte[] scales, float[] x, int xAt, int blocks, float[] out, int outAt) {
        for (int i = 0; i < blocks; i++) {
            Q8StripKernels.one(expanded, i * 32 * ROWS, scales, scalesAt(scales, i), x, xAt + i * 32, out, outAt);
        }
    }

    /** Where the scales of a block of the chunk are. */
    private static int scalesAt(byte[] scales, int block) {
        return scales == ONES ? 0 : block * Format.Q8_0.blockBytes;
    }
}
