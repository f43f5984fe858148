package dev.ossicle.cpu;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.cpu.RandomModel.Storage;
import dev.ossicle.cpu.Strips.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Re-laid weights and rounded activations against the plain definition of their product. */
final class TestStrips {
    private static final int ROWS = 64;

    @ParameterizedTest
    @EnumSource(
            value = Storage.class,
            names = {"MXFP4", "MXFP4_ALTERNATING", "GGUF_MXFP4"})
    void multipliesAnyNumberOfSlots(Storage storage) {
        Random random = new Random(3);
        for (int columns : new int[] {32, 64, 96, 2880}) {
            RandomModel model = new RandomModel(columns);
            Matrix matrix = model.matrix(storage, ROWS, columns);
            try (Arena arena = Arena.ofConfined()) {
                Strips strips = requireNonNull(relay(matrix, arena));
                int slots = 21;
                float[] x = new float[slots * columns];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) (random.nextGaussian() * Math.exp(2 * random.nextGaussian()));
                }
                Arrays.fill(x, 0, 32, 0);
                float[][] alone = new float[slots][];
                for (int slot = 0; slot < slots; slot++) {
                    alone[slot] = multiply(strips, x, columns, slot, 1);
                    compare(matrix, x, slot * columns, alone[slot], storage + ", slot " + slot);
                }
                for (int count = 1; count <= slots; count++) {
                    float[] together = multiply(strips, x, columns, 0, count);
                    for (int slot = 0; slot < count; slot++) {
                        assertThat(Arrays.copyOfRange(together, slot * ROWS, (slot + 1) * ROWS))
                                .as("%s, slot %d of %d", storage, slot, count)
                                .isEqualTo(alone[slot]);
                    }
                }
            }
        }
    }

    /** Strips share a kernel in twos; five leave one over. */
    @Test
    void stripsOfMxFp4GiveTheSameTogether() {
        int columns = 96;
        Random random = new Random(9);
        Matrix matrix = new RandomModel(9).matrix(Storage.MXFP4, 5 * ROWS, columns);
        float[] x = new float[3 * columns];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        try (Arena arena = Arena.ofConfined()) {
            Strips strips = requireNonNull(relay(matrix, arena));
            for (int slots = 1; slots <= 3; slots++) {
                RoundedSlots rounded = round(x, columns, 0, 0, slots);
                for (int count = 1; count <= 5; count++) {
                    float[] first32 = new float[count * slots * 32];
                    float[] last32 = new float[count * slots * 32];
                    new StripMultiplier(Lanes.MANY_REGISTERS)
                            .multiply(strips, 5 - count, count, 0, slots, rounded, first32, last32);
                    for (int i = 0; i < count; i++) {
                        float[] a = new float[slots * 32];
                        float[] b = new float[slots * 32];
                        new StripMultiplier(false).multiply(strips, 5 - count + i, 1, 0, slots, rounded, a, b);
                        int at = i * slots * 32;
                        assertThat(Arrays.copyOfRange(first32, at, at + slots * 32))
                                .as("strip %d of %d", i, count)
                                .isEqualTo(a);
                        assertThat(Arrays.copyOfRange(last32, at, at + slots * 32))
                                .isEqualTo(b);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Storage.class,
            names = {"Q8_0", "BF16"})
    void denseStripsGiveTheSameTogether(Storage storage) {
        int columns = 96;
        Random random = new Random(10);
        Matrix matrix = new RandomModel(10).matrix(storage, 5 * 32, columns);
        float[] x = new float[3 * columns];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        int[] xAt = {0, columns, 2 * columns};
        try (Arena arena = Arena.ofConfined()) {
            Strips strips = requireNonNull(relay(matrix, arena));
            PackedRows packed = new PackedRows();
            packed.packAll(x, xAt, 0, 3, columns);
            for (int vectors = 1; vectors <= 3; vectors++) {
                for (int count = 1; count <= 5; count++) {
                    float[] together = new float[count * vectors * 32];
                    new DenseStripMultiplier().multiply(strips, 5 - count, count, x, xAt, 0, vectors, packed, together);
                    for (int i = 0; i < count; i++) {
                        float[] alone = new float[vectors * 32];
                        new DenseStripMultiplier()
                                .multiply(strips, 5 - count + i, 1, x, xAt, 0, vectors, packed, alone);
                        int at = i * vectors * 32;
                        assertThat(Arrays.copyOfRange(together, at, at + vectors * 32))
                                .as("strip %d of %d", i, count)
                                .isEqualTo(alone);
                    }
                }
            }
        }
    }

    @Test
    void aStripOfTwoMatricesHasHalfOfEach() {
        RandomModel model = new RandomModel(7);
        Matrix gate = model.matrix(Storage.MXFP4, ROWS, 96);
        Matrix up = model.matrix(Storage.GGUF_MXFP4, ROWS, 96);
        float[] x = new float[96];
        Random random = new Random(8);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        try (Arena arena = Arena.ofConfined()) {
            Strips pairs = requireNonNull(relay(Source.pair(gate, up), arena));
            Strips gates = requireNonNull(relay(gate, arena));
            Strips ups = requireNonNull(relay(up, arena));
            assertThat(pairs.count()).isEqualTo(2);
            float[] ofGate = multiply(gates, x, 96, 0, 1);
            float[] ofUp = multiply(ups, x, 96, 0, 1);
            for (int strip = 0; strip < 2; strip++) {
                float[] both = multiply(pairs, strip, x, 96, 0, 1);
                assertThat(Arrays.copyOf(both, 32)).isEqualTo(Arrays.copyOfRange(ofGate, 32 * strip, 32 * strip + 32));
                assertThat(Arrays.copyOfRange(both, 32, 64))
                        .isEqualTo(Arrays.copyOfRange(ofUp, 32 * strip, 32 * strip + 32));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Storage.class,
            names = {"Q8_0", "BF16", "BF16_ALTERNATING"})
    void multipliesDenseStripsWithAnyNumberOfVectors(Storage storage) {
        Random random = new Random(5);
        for (int columns : new int[] {32, 64, 96, 128, 2880}) {
            Matrix matrix = new RandomModel(columns).matrix(storage, ROWS, columns);
            try (Arena arena = Arena.ofConfined()) {
                Strips strips = requireNonNull(relay(matrix, arena));
                int vectors = 21;
                float[] x = new float[vectors * columns];
                int[] xAt = new int[vectors];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) random.nextGaussian();
                    xAt[i / columns] = i / columns * columns;
                }
                DenseStripMultiplier multiplier = new DenseStripMultiplier();
                PackedRows packed = new PackedRows();
                for (int first = 0; first < ROWS; first += 32) {
                    float[] together = new float[vectors * 32];
                    Arrays.fill(together, Float.NaN);
                    packed.packAll(x, xAt, 0, vectors, columns);
                    multiplier.multiply(strips, first / 32, 1, x, xAt, 0, vectors, packed, together);
                    for (int i = 0; i < vectors * 32; i++) {
                        double want = 0;
                        double size = 0;
                        for (int c = 0; c < columns; c++) {
                            double product = (double) matrix.get(first + i % 32, c) * x[i / 32 * columns + c];
                            want += product;
                            size += Math.abs(product);
                        }
                        assertThat((double) together[i])
                                .as("%d columns, result %d", columns, i)
                                .isBetween(want - 1e-6 * size, want + 1e-6 * size);
                    }
                    for (int count = 1; count <= vectors; count++) {
                        float[] some = new float[count * 32];
                        packed.packAll(x, xAt, vectors - count, count, columns);
                        multiplier.multiply(strips, first / 32, 1, x, xAt, vectors - count, count, packed, some);
                        assertThat(some)
                                .as("the last %d of %d vectors", count, vectors)
                                .isEqualTo(Arrays.copyOfRange(together, (vectors - count) * 32, vectors * 32));
                    }
                }
            }
        }
    }

    @Test
    void aScaleOfQ8ThatIsInfiniteIsLeftToTheExactKernels() {
        Q8_0Matrix matrix = (Q8_0Matrix) new RandomModel(2).matrix(Storage.Q8_0, ROWS, 64);
        matrix.data().set(ValueLayout.JAVA_BYTE, matrix.offset() + 40 * matrix.rowStride() + 34 + 1, (byte) 0x7c);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(relay(matrix, arena)).isNull();
        }
    }

    private static @Nullable Strips relay(Matrix matrix, Arena arena) {
        return relay(Strips.isMxFp4(matrix) ? Source.single(matrix) : Source.dense(matrix), arena);
    }

    private static @Nullable Strips relay(Source source, Arena arena) {
        Strips strips = requireNonNull(source.at(SystemMemory.allocate(arena, source.bytes()), 0));
        return strips.fill(source, 0, strips.count()) ? strips : null;
    }

    /** [slots, ROWS] of {@code count} slots of an expert that begins at slot 3. */
    private static float[] multiply(Strips strips, float[] x, int columns, int first, int count) {
        return multiply(strips, 0, x, columns, first, count);
    }

    private static float[] multiply(Strips strips, int strip, float[] x, int columns, int first, int count) {
        int from = 3;
        RoundedSlots rounded = round(x, columns, first, from, count);
        StripMultiplier multiplier = new StripMultiplier();
        float[] first32 = new float[count * 32];
        float[] last32 = new float[count * 32];
        Arrays.fill(first32, Float.NaN);
        Arrays.fill(last32, Float.NaN);
        multiplier.multiply(strips, strip, 1, from, count, rounded, first32, last32);
        float[] out = new float[count * ROWS];
        for (int slot = 0; slot < count; slot++) {
            System.arraycopy(first32, slot * 32, out, slot * ROWS, 32);
            System.arraycopy(last32, slot * 32, out, slot * ROWS + 32, 32);
        }
        return out;
    }

    /** Vectors of x, rounded as the slots of an expert that begins at slot {@code from}. */
    private static RoundedSlots round(float[] x, int columns, int first, int from, int count) {
        RoundedSlots rounded = new RoundedSlots(columns);
        rounded.grow(from + count);
        for (int slot = 0; slot < count; slot++) {
            for (int block = 0; block < columns / 32; block++) {
                int at = (first + slot) * columns + 32 * block;
                rounded.set(x, at, from, count, slot, block, new int[32], new float[Lanes.WIDTH]);
            }
        }
        return rounded;
    }

    private static void compare(Matrix matrix, float[] x, int at, float[] got, String where) {
        double[] rounded = new double[matrix.columns()];
        for (int block = 0; block < rounded.length; block += 32) {
            double[] sums = new double[2];
            for (int i = 0; i < 32; i++) {
                sums[i / 16] += Math.abs(x[at + block + i]);
            }
            double step = Math.max(sums[0], sums[1]) / 2720;
            for (int i = 0; i < 32; i++) {
                rounded[block + i] = step == 0 ? 0 : Math.rint(x[at + block + i] / step) * step;
            }
        }
        for (int r = 0; r < ROWS; r++) {
            double want = 0;
            double size = 0;
            for (int i = 0; i < rounded.length; i++) {
                double product = matrix.get(r, i) * rounded[i];
                want += product;
                size += Math.abs(product);
            }
            // One activation may fall to the other side of a half.
            assertThat((double) got[r])
                    .as("%s, row %d", where, r)
                    .isBetween(want - 2e-4 * size - 1e-6, want + 2e-4 * size + 1e-6);
        }
    }

    @Test
    void theLargestProductsFit() {
        GgufMxFp4Matrix matrix = (GgufMxFp4Matrix) new RandomModel(0).matrix(Storage.GGUF_MXFP4, 32, 64);
        for (long at = matrix.offset(); at < matrix.data().byteSize(); at++) {
            boolean scale = (at - matrix.offset()) % 17 == 0;
            matrix.data().set(ValueLayout.JAVA_BYTE, at, (byte) (scale ? 127 : 0xff)); // -6 everywhere
        }
        float[] x = new float[9 * 64];
        Arrays.fill(x, 170);
        try (Arena arena = Arena.ofConfined()) {
            Strips strips = requireNonNull(relay(matrix, arena));
            RoundedSlots rounded = new RoundedSlots(64);
            rounded.grow(9);
            for (int slot = 0; slot < 9; slot++) {
                rounded.set(x, slot * 64, 0, 9, slot, 0, new int[32], new float[Lanes.WIDTH]);
                rounded.set(x, slot * 64 + 32, 0, 9, slot, 1, new int[32], new float[Lanes.WIDTH]);
            }
            float[] out = new float[9 * 32];
            float[] empty = new float[9 * 32];
            new StripMultiplier().multiply(strips, 0, 1, 0, 9, rounded, out, empty);
            for (int i = 0; i < 9 * 32; i++) {
                assertThat(out[i]).isEqualTo(-6f * 170 * 64);
            }
            assertThat(empty).as("the half that has no rows").containsOnly(0f);
        }
    }

    @Test
    void whatIsNotFiniteStaysSo() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] x = new float[32];
            x[17] = bad;
            Matrix matrix = new RandomModel(1).matrix(Storage.GGUF_MXFP4, ROWS, 32);
            try (Arena arena = Arena.ofConfined()) {
                Strips strips = requireNonNull(relay(matrix, arena));
                for (float value : multiply(strips, x, 32, 0, 1)) {
                    assertThat(Float.isFinite(value)).isFalse();
                }
            }
        }
    }

    @Test
    void aScaleThatIsNoNumberIsLeftToTheExactKernels() {
        GgufMxFp4Matrix matrix = (GgufMxFp4Matrix) new RandomModel(2).matrix(Storage.GGUF_MXFP4, ROWS, 64);
        matrix.data().set(ValueLayout.JAVA_BYTE, matrix.offset() + 40 * matrix.rowStride() + 17, (byte) 255);
        try (Arena arena = Arena.ofConfined()) {
            assertThat(relay(matrix, arena)).isNull();
        }
    }
}
