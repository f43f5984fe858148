package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestMxFp4 {
    @Test
    void scalesArePowersOfTwo() {
        for (int scale = 0; scale < 255; scale++) {
            assertThat((double) MxFp4.scale(scale)).isEqualTo(Math.pow(2, scale - 127));
        }
        assertThat(MxFp4.scale(255)).isNaN();
    }

    /** With a 4 in the block the scale is 1. */
    @ParameterizedTest
    @CsvSource({
        "0, 0", "0.25, 0", "0.2500001, 0.5", "0.5, 0.5", "0.7499999, 0.5", "0.75, 1", "1.25, 1", "1.2500001, 1.5",
        "1.7499999, 1.5", "1.75, 2", "2.5, 2", "2.5000002, 3", "3.4999998, 3", "3.5, 4", "5, 4", "5.0000005, 6",
        "6, 6", "7.999999, 6"
    })
    void roundsToTheNearestAndTiesToEven(float value, float expected) {
        for (float sign : new float[] {1, -1}) {
            float[] block = new float[32];
            block[0] = 4;
            block[31] = sign * value;
            byte[] codes = new byte[32];
            assertThat(MxFp4.quantize(block, 0, codes)).isEqualTo(127);
            assertThat(MxFp4.value(codes[31])).isEqualTo(sign * expected);
        }
    }

    @Test
    void everyBlockComesAsNearAsItCan() {
        for (long seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            double size = Math.pow(2, random.nextInt(-160, 125));
            float[] block = new float[32];
            double largest = 0;
            for (int i = 0; i < 32; i++) {
                block[i] = (float) (size * random.nextGaussian());
                largest = Math.max(largest, Math.abs(block[i]));
            }
            byte[] codes = new byte[32];
            int scale = MxFp4.quantize(block, 0, codes);
            int exponent = largest == 0 ? -127 : (int) Math.floor(Math.log(largest) / Math.log(2) + 1e-9) - 2;
            assertThat(scale).as("seed %d", seed).isEqualTo(Math.max(0, exponent + 127));
            for (int i = 0; i < 32; i++) {
                double found = (double) MxFp4.value(codes[i]) * MxFp4.scale(scale);
                double nearest = Double.MAX_VALUE;
                for (int code = 0; code < 16; code++) {
                    nearest = Math.min(nearest, Math.abs((double) MxFp4.value(code) * MxFp4.scale(scale) - block[i]));
                }
                assertThat(Math.abs(found - block[i])).as("seed %d", seed).isEqualTo(nearest);
            }
        }
    }

    /** What was in the format already comes out as it went in, whatever its scale was. */
    @Test
    void quantizingTwiceChangesNothing() {
        for (int scale = 0; scale < 254; scale++) {
            SplittableRandom random = new SplittableRandom(scale);
            int highest = 1 + scale % 7;
            float[] block = new float[32];
            for (int i = 0; i < 32; i++) {
                block[i] = MxFp4.value(random.nextInt(highest + 1) | random.nextInt(2) << 3) * MxFp4.scale(scale);
            }
            byte[] codes = new byte[32];
            int found = MxFp4.quantize(block, 0, codes);
            for (int i = 0; i < 32; i++) {
                assertThat(MxFp4.value(codes[i]) * MxFp4.scale(found))
                        .as("scale %d", scale)
                        .isEqualTo(block[i]);
            }
        }
    }

    @Test
    void zerosKeepTheirSign() {
        float[] block = new float[32];
        block[7] = -0f;
        byte[] codes = new byte[32];
        assertThat(MxFp4.quantize(block, 0, codes)).isZero();
        assertThat(codes[6]).isZero();
        assertThat(codes[7]).isEqualTo((byte) 8);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesWhatIsNotFinite(float value) {
        float[] block = new float[64];
        block[40] = value;
        assertThatThrownBy(() -> MxFp4.quantize(block, 32, new byte[32]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("value 40 is " + value);
    }

    @Test
    void theLargestFloatSaturates() {
        float[] block = new float[32];
        block[0] = Float.MAX_VALUE;
        byte[] codes = new byte[32];
        assertThat(MxFp4.quantize(block, 0, codes)).isEqualTo(252);
        assertThat(codes[0]).isEqualTo((byte) 7);
    }
}
