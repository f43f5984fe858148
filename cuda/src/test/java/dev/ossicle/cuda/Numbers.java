package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;

/** Random inputs of kernels, and how near their results must be. */
final class Numbers {
    private Numbers() {}

    static float[] random(Random random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** Such numbers as bf16 can hold. */
    static float[] randomBf16(Random random, int count, double deviation) {
        float[] values = random(random, count, deviation);
        for (int i = 0; i < count; i++) {
            values[i] = PlayedGpu.rounded(values[i]);
        }
        return values;
    }

    /** Such numbers as fp16 can hold. */
    static float[] randomFp16(Random random, int count, double deviation) {
        float[] values = random(random, count, deviation);
        for (int i = 0; i < count; i++) {
            values[i] = fp16(values[i]);
        }
        return values;
    }

    /** The float that fp16 makes of a float. */
    static float fp16(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    /**
     * Asserts that each number is near the expected one.
     *
     * @param relative error, of the number itself
     * @param ofAll error, of the root mean square of all expected numbers
     */
    static void assertNear(String what, float[] seen, double[] expected, double relative, double ofAll) {
        assertThat(seen.length).as(what).isEqualTo(expected.length);
        double squares = 0;
        for (double value : expected) {
            squares += value * value;
        }
        double all = ofAll * Math.sqrt(squares / Math.max(1, expected.length));
        for (int i = 0; i < seen.length; i++) {
            double error = Math.abs(seen[i] - expected[i]);
            if (!(error <= relative * Math.abs(expected[i]) + all)) {
                throw new AssertionError(what + ": number " + i + " of " + seen.length + " is " + seen[i]
                        + " instead of " + expected[i]);
            }
        }
    }

    /** out[m][n] = a [M, K] w[N, K]^T. */
    static double[] product(float[] a, float[] w, int m, int n, int k) {
        double[] out = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int c = 0; c < k; c++) {
                    sum += (double) a[i * k + c] * w[j * k + c];
                }
                out[i * n + j] = sum;
            }
        }
        return out;
    }

    /** Each eight numbers in the order in which the experts' kernels keep them. */
    static float[] eights(float[] values) {
        float[] out = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            out[i] = values[i / 8 * 8 + i % 2 * 4 + i % 8 / 2];
        }
        return out;
    }
}
