package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.cpu.RandomModel.Storage;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each kernel against the plain definition of what it computes. */
final class TestKernels {
    private static final int[] COLUMNS = {1, 2, 4, 15, 16, 17, 31, 32, 33, 64, 96, 160, 200, 2880};

    @ParameterizedTest
    @EnumSource
    void expandsEveryRowExactly(Storage storage) {
        for (int columns : COLUMNS) {
            if (storage.needsBlocks() && columns % 32 != 0) {
                continue;
            }
            Matrix matrix = new RandomModel(columns).matrix(storage, 5, columns);
            float[] row = new float[3 + Lanes.padded(columns)];
            for (int r = 0; r < matrix.rows(); r++) {
                Arrays.fill(row, Float.NaN);
                MatrixKernels.expand(matrix, r, row, 3);
                for (int i = 0; i < columns; i++) {
                    // Minus zero may come out as zero.
                    assertThat(row[3 + i] + 0f)
                            .as("%s, row %d, column %d", matrix, r, i)
                            .isEqualTo(matrix.get(r, i) + 0f);
                }
                for (int i = 3 + columns; i < row.length; i++) {
                    assertThat(row[i]).isZero();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void multipliesAnyRowsWithAnyVectors(Storage storage) {
        Random random = new Random(7);
        for (int columns : COLUMNS) {
            if (storage.needsBlocks() && columns % 32 != 0) {
                continue;
            }
            Matrix matrix = new RandomModel(columns).matrix(storage, 40, columns);
            int vectors = 9;
            int stride = Lanes.padded(columns);
            float[] x = new float[vectors * stride];
            int[] at = new int[vectors];
            for (int v = 0; v < vectors; v++) {
                at[v] = (vectors - 1 - v) * stride;
                for (int i = 0; i < columns; i++) {
                    x[at[v] + i] = (float) random.nextGaussian();
                }
            }
            float[][] alone = new float[vectors][];
            for (int v = 0; v < vectors; v++) {
                alone[v] = multiply(matrix, 3, 31, x, at, v, 1);
                for (int r = 0; r < 31; r++) {
                    double want = 0;
                    double size = 0;
                    for (int i = 0; i < columns; i++) {
                        double product = (double) matrix.get(3 + r, i) * x[at[v] + i];
                        want += product;
                        size += Math.abs(product);
                    }
                    assertThat((double) alone[v][r])
                            .as("%s, row %d, vector %d", matrix, 3 + r, v)
                            .isBetween(want - 1e-6 * size, want + 1e-6 * size);
                }
            }
            for (int count = 1; count <= vectors; count++) {
                float[] together = multiply(matrix, 3, 31, x, at, 0, count);
                for (int v = 0; v < count; v++) {
                    assertThat(Arrays.copyOfRange(together, v * RowMultiplier.BLOCK, v * RowMultiplier.BLOCK + 31))
                            .as("%s, vector %d of %d", matrix, v, count)
                            .isEqualTo(Arrays.copyOf(alone[v], 31));
                }
            }
            // A row comes out the same wherever its block begins.
            for (int rows = 1; rows <= 6; rows++) {
                float[] part = multiply(matrix, 5, rows, x, at, 0, 2);
                assertThat(Arrays.copyOf(part, rows)).isEqualTo(Arrays.copyOfRange(alone[0], 2, 2 + rows));
            }
        }
    }

    private static float[] multiply(Matrix matrix, int first, int rows, float[] x, int[] at, int from, int count) {
        float[] out = new float[count * RowMultiplier.BLOCK];
        new RowMultiplier().multiply(matrix, first, rows, x, at, from, count, out);
        return out;
    }

    @Test
    void exponentialIsAccurateToRounding() {
        float[] x = new float[20 * Lanes.WIDTH];
        Random random = new Random(3);
        for (int n = 0; n < 1000; n++) {
            for (int i = 0; i < x.length; i++) {
                x[i] = -87 + 175 * random.nextFloat();
            }
            float[] y = x.clone();
            Elementwise.exp(y, 0, Lanes.WIDTH, 20);
            for (int i = 0; i < x.length; i++) {
                double want = Math.exp(x[i]);
                assertThat(Math.abs(y[i] - want) / want).as("e^%s", x[i]).isLessThan(1.5e-7);
            }
        }
    }

    @Test
    void exponentialAtItsEdges() {
        assertThat(exp(0)).isEqualTo(1);
        assertThat(exp(-0f)).isEqualTo(1);
        assertThat(exp(Float.NEGATIVE_INFINITY)).isEqualTo(0);
        assertThat(exp(-1e30f)).isEqualTo(0);
        assertThat(exp(-88)).isEqualTo(0);
        assertThat(exp(-86.9f)).isPositive();
        assertThat(exp(89)).isGreaterThan(1e38f).isLessThan(Float.POSITIVE_INFINITY);
        assertThat(exp(1e30f)).isGreaterThan(1e38f).isLessThan(Float.POSITIVE_INFINITY);
        assertThat(exp(Float.POSITIVE_INFINITY)).isGreaterThan(1e38f);
        assertThat(exp(Float.NaN)).isNaN();
    }

    private static float exp(float x) {
        float[] values = new float[Lanes.WIDTH + 3];
        Arrays.fill(values, 3, values.length, x);
        Elementwise.exp(values, 3, Lanes.WIDTH, 1);
        assertThat(values[2]).isZero();
        return values[Lanes.WIDTH + 2];
    }

    @Test
    void swigluClampsTheGateFromAboveOnly() {
        int count = 32;
        float[] gate = new float[count];
        float[] up = new float[count];
        float[] out = new float[count];
        Random random = new Random(5);
        for (int i = 0; i < count; i++) {
            gate[i] = 20 * (random.nextFloat() - 0.5f);
            up[i] = 20 * (random.nextFloat() - 0.5f);
        }
        gate[0] = -300;
        gate[1] = 300;
        up[1] = -300;
        Elementwise.swiglu(gate, up, count, 7, out);
        for (int i = 0; i < count; i++) {
            double g = Math.min(gate[i], 7);
            double want = g / (1 + Math.exp(-1.702 * g)) * (Math.clamp(up[i], -7.0, 7.0) + 1);
            assertThat((double) out[i])
                    .as("gate %s, up %s", gate[i], up[i])
                    .isBetween(want - 1e-6 * (Math.abs(want) + 1e-3), want + 1e-6 * (Math.abs(want) + 1e-3));
        }
    }

    @Test
    void lanesAreSummedInOneOrder() {
        // Large and small values that give another sum in another order.
        float[] values = new float[Lanes.WIDTH];
        Random random = new Random(11);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(8)));
        }
        float[] tree = values.clone();
        for (int half = tree.length / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                tree[i] += tree[i + half];
            }
        }
        for (int n = 0; n < 50_000; n++) { // through the interpreter and both compilers
            assertThat(Lanes.sum(values, 0) == tree[0]).isTrue();
        }
    }

    @Test
    void infinitiesAndNanAreFound() {
        for (int length : new int[] {1, 7, 16, 33, 201}) {
            float[] values = new float[length];
            Arrays.fill(values, 1e38f);
            assertThat(Elementwise.isFinite(values)).isTrue();
            for (int i = 0; i < length; i++) {
                for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                    values[i] = bad;
                    assertThat(Elementwise.isFinite(values))
                            .as("%s at %d", bad, i)
                            .isFalse();
                }
                values[i] = -1e38f;
            }
        }
    }

    @Test
    void routerTakesTheLowerOfEqualExperts() {
        Routing routing = new Routing(6, 3);
        routing.route(new float[] {1, 2, 2, 2, 0, 2, /* row 1 */ 0, -1, 5, -2, 5, 0}, 2);
        assertThat(chosen(routing, 0)).containsExactly(1, 2, 3);
        assertThat(chosen(routing, 1)).containsExactly(2, 4, 0);
        assertThat(routing.share(0, 0)).isEqualTo(1 / 3f);
        assertThat(routing.activeCount()).isEqualTo(5);
        assertThat(routing.slots(2)).isEqualTo(2);
        assertThat(routing.rowOfSlot(routing.firstSlot(2))).isEqualTo(0);
        assertThat(routing.rowOfSlot(routing.firstSlot(2) + 1)).isEqualTo(1);
    }

    private static int[] chosen(Routing routing, int row) {
        int[] experts = new int[3];
        for (int n = 0; n < 3; n++) {
            int slot = routing.slot(row, n);
            for (int i = 0; i < routing.activeCount(); i++) {
                int expert = routing.active(i);
                if (slot >= routing.firstSlot(expert) && slot < routing.firstSlot(expert) + routing.slots(expert)) {
                    experts[n] = expert;
                }
            }
        }
        return experts;
    }
}
