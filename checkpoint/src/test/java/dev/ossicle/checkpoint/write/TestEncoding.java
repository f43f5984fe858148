package dev.ossicle.checkpoint.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.F16Matrix;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.Q8_0Matrix;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestEncoding {
    private static float[] decode(NumberFormat format, byte[] bytes, int columns) {
        MemorySegment data = MemorySegment.ofArray(bytes);
        Matrix matrix = switch (format) {
            case F32 -> new F32Matrix(1, columns, data, 0, 0, 4);
            case F16 -> new F16Matrix(1, columns, data, 0, 0, 2);
            case BF16 -> new BF16Matrix(1, columns, data, 0, 0, 2);
            case Q8_0 -> new Q8_0Matrix(1, columns, data, 0, 0);
            case MXFP4 -> new GgufMxFp4Matrix(1, columns, data, 0, 0);
            default -> throw new IllegalArgumentException(format + " is not written");
        };
        float[] row = new float[columns];
        matrix.row(0, row, 0);
        return row;
    }

    /** How far a format may be off, relative to the largest value of a block. */
    private static double tolerance(NumberFormat format) {
        return switch (format) {
            case F32 -> 0;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            case Q8_0 -> 0.5 / 127 + 0x1p-10;
            case MXFP4 -> 0.25; // 8 - 6 of 8 where it saturates
            default -> throw new IllegalArgumentException(format + " is not written");
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "MXFP4"})
    void valuesComeBack(NumberFormat format) {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            float[] row = new float[96];
            double size = Math.pow(10, random.nextInt(-2, 3));
            for (int i = 0; i < row.length; i++) {
                row[i] = (float) (size * random.nextGaussian());
            }
            float[] found = decode(format, Encoding.encode(format, row), row.length);
            for (int block = 0; block < row.length; block += 32) {
                double largest = 0;
                for (int i = block; i < block + 32; i++) {
                    largest = Math.max(largest, Math.abs(row[i]));
                }
                for (int i = block; i < block + 32; i++) {
                    assertThat(Math.abs((double) found[i] - row[i]))
                            .as("seed %d column %d", seed, i)
                            .isLessThanOrEqualTo(largest * tolerance(format));
                }
            }
        }
    }

    @Test
    void bothOrdersOfMxfp4HoldTheSame() {
        SplittableRandom random = new SplittableRandom(1);
        float[] row = random.doubles(96, -3, 3).collect(() -> new FloatList(96), FloatList::add, (a, b) -> {}).values;
        float[] gguf = decode(NumberFormat.MXFP4, Encoding.encode(NumberFormat.MXFP4, row), 96);
        MemorySegment blocks = MemorySegment.ofArray(Encoding.mxfp4Blocks(row));
        MemorySegment scales = MemorySegment.ofArray(Encoding.mxfp4Scales(row));
        float[] original = new float[96];
        new MxFp4Matrix(1, 96, blocks, 0, 0, scales, 0, 0).row(0, original, 0);
        assertThat(original).isEqualTo(gguf);
    }

    private static final class FloatList {
        private final float[] values;
        private int size;

        FloatList(int length) {
            values = new float[length];
        }

        void add(double value) {
            values[size++] = (float) value;
        }
    }

    @Test
    void bf16RoundsToTheNearestAndTiesToEven() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            float found = Encoding.roundToBF16(value);
            if (!Float.isFinite(value)) {
                assertThat(Float.compare(found, value)).isZero();
                continue;
            }
            int bits = Float.floatToRawIntBits(value);
            double below = Float.intBitsToFloat(bits & 0xFFFF_0000);
            double above = Float.intBitsToFloat((bits & 0xFFFF_0000) + 0x1_0000);
            if (Double.isInfinite(above)) {
                continue;
            }
            double toBelow = Math.abs(value - below);
            double toAbove = Math.abs(value - above);
            boolean belowIsEven = (bits >>> 16 & 1) == 0;
            boolean takesBelow = toBelow < toAbove || (toBelow == toAbove && belowIsEven);
            assertThat((double) found).as("%s", value).isEqualTo(takesBelow ? below : above);
        }
        assertThat(Encoding.roundToBF16(Float.intBitsToFloat(0x3F80_8000))).isEqualTo(1f);
        assertThat(Encoding.roundToBF16(Float.intBitsToFloat(0x3F81_8000))).isEqualTo(1.015625f);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "MXFP4"})
    void zerosStayZero(NumberFormat format) {
        assertThat(decode(format, Encoding.encode(format, new float[64]), 64)).containsOnly(0f);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "MXFP4"})
    void refusesWhatItCannotHold(NumberFormat format) {
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] row = new float[32];
            row[5] = value;
            assertThatThrownBy(() -> Encoding.encode(format, row))
                    .as("%s", value)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("5");
        }
        float[] large = new float[32];
        large[0] = Float.MAX_VALUE;
        boolean holds = format == NumberFormat.F32 || format == NumberFormat.MXFP4;
        if (holds) {
            assertThat(decode(format, Encoding.encode(format, large), 32)[0]).isFinite();
        } else {
            assertThatThrownBy(() -> Encoding.encode(format, large)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
