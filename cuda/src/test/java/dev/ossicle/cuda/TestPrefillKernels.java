package dev.ossicle.cuda;

import static dev.ossicle.cuda.Numbers.assertNear;
import static dev.ossicle.cuda.Numbers.product;
import static dev.ossicle.cuda.Numbers.random;
import static dev.ossicle.cuda.Numbers.randomFp16;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernels of prefill.cu against plain loops in double precision. */
class TestPrefillKernels {
    /** Half a unit of the last place. */
    private static final double BF16 = 0x1p-8;

    private static final double FP16 = 0x1p-11;

    private static final float EPSILON = 1e-5f;
    /** The address that a kernel takes for nothing. */
    private static final Long NONE = 0L;

    private PlayedGpu gpu;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
        }
    }

    @Test
    void norms() {
        for (int hidden : new int[] {32, 64, 96, 2880}) {
            for (int[] rows : new int[][] {{0}, {2, 0, 6}, {}}) {
                norm(hidden, rows, false);
                norm(hidden, rows, true);
            }
        }
    }

    /** @param rows of x; none: all seven as they are */
    private void norm(int hidden, int[] rows, boolean eights) {
        Random random = new Random(hidden);
        float[] x = random(random, 7 * hidden, 3);
        float[] gain = random(random, hidden, 1);
        int count = rows.length == 0 ? 7 : rows.length;
        DeviceMemory out = gpu.allocate(2L * count * hidden);
        DeviceMemory scale = gpu.allocate(4L * count);
        DeviceMemory fault = gpu.upload(0);
        gpu.launch(
                "rms_norm",
                count,
                128,
                0,
                gpu.upload(x),
                rows.length == 0 ? NONE : gpu.upload(rows),
                gpu.upload(gain),
                EPSILON,
                out,
                eights ? scale : NONE,
                hidden,
                count,
                eights ? 1 : 0,
                fault,
                5);
        float[] expected = new float[count * hidden];
        for (int i = 0; i < count; i++) {
            int row = rows.length == 0 ? i : rows[i];
            double squares = 0;
            for (int c = 0; c < hidden; c++) {
                squares += (double) x[row * hidden + c] * x[row * hidden + c];
            }
            double factor = 1 / Math.sqrt(squares / hidden + EPSILON);
            for (int c = 0; c < hidden; c++) {
                expected[i * hidden + c] = (float) (x[row * hidden + c] * factor * gain[c]);
            }
            if (eights) {
                assertThat(gpu.floats(scale)[i] / factor).isBetween(1 - 1e-5, 1 + 1e-5);
            }
        }
        if (eights) {
            assertNear("norm of " + hidden, gpu.bf16s(out), doubles(Numbers.eights(expected)), BF16, 1e-6);
        } else {
            assertNear("norm of " + hidden, gpu.fp16s(out), doubles(expected), FP16, 1e-6);
        }
        assertThat(gpu.ints(fault)).containsExactly(0);
    }

    @Test
    void aNormReportsWhatIsNotFinite() {
        for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] x = new float[3 * 64];
            x[2 * 64 + 17] = broken;
            DeviceMemory out = gpu.allocate(2 * 3 * 64);
            DeviceMemory fault = gpu.upload(0);
            DeviceMemory gain = gpu.upload(new float[64]);
            gpu.launch("rms_norm", 2, 128, 0, gpu.upload(x), NONE, gain, EPSILON, out, NONE, 64, 2, 0, fault, 5);
            assertThat(gpu.ints(fault)).containsExactly(0);
            gpu.launch("rms_norm", 3, 128, 0, gpu.upload(x), NONE, gain, EPSILON, out, NONE, 64, 3, 0, fault, 5);
            assertThat(gpu.ints(fault)).containsExactly(5);
        }
    }

    @Test
    void productsOfManyRows() {
        int[][] shapes = {{1, 32, 32}, {63, 64, 64}, {65, 288, 96}, {130, 544, 160}, {7, 96, 2880}};
        for (int[] shape : shapes) {
            all("", shape, 256, 128, 49152, 2);
        }
        product("gemm_f32", new int[] {9, 1003, 96}, 256, 128, 49152, 2);
        product("gemm_f32", new int[] {1, 3, 32}, 256, 128, 49152, 2);
    }

    /** As many stages as an H100 has room for. */
    @Test
    void productsOfManyRowsInLongPipelines() {
        boolean played = gpu.device.attribute(97) < 4 * 49152; // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        if (played) {
            PlayedGpu.set(gpu.device.driver(), "shared", 4 * 49152);
        }
        all("", new int[] {130, 96, 352}, 256, 128, 49152, 3);
        all("", new int[] {1, 288, 32}, 256, 128, 49152, 3);
        all("", new int[] {65, 32, 352}, 256, 128, 49152, 4);
        if (played) {
            PlayedGpu.set(gpu.device.driver(), "reset", 0);
        }
    }

    @Test
    void productsOfSomeRows() {
        int[][] shapes = {{1, 32, 32}, {17, 96, 96}, {63, 64, 64}, {65, 160, 2880}, {130, 32, 160}};
        for (int[] shape : shapes) {
            all("_64", shape, 64, 64, 32768, 3);
        }
        product("gemm_f32_64", new int[] {63, 1003, 64}, 64, 64, 32768, 2);
    }

    @Test
    void productsOfFewRows() {
        int[][] shapes = {{1, 32, 32}, {7, 96, 2880}, {9, 64, 160}, {16, 96, 64}, {33, 32, 608}};
        for (int[] shape : shapes) {
            all("_16", shape, 32, 16, 24576, 3);
        }
        product("gemm_f32_16", new int[] {9, 1003, 96}, 32, 16, 24576, 4);
    }

    private void all(String variant, int[] shape, int columns, int rows, int stageBytes, int stages) {
        product("gemm_f32" + variant, shape, columns, rows, stageBytes, stages);
        product("gemm_add" + variant, shape, columns, rows, stageBytes, stages);
    }

    private void product(String name, int[] shape, int columns, int rows, int stageBytes, int stages) {
        int m = shape[0];
        int n = shape[1];
        int k = shape[2];
        Random random = new Random(31L * m + n + k);
        float[] a = randomFp16(random, m * k, 1);
        float[] w = randomFp16(random, n * k, 1);
        float[] bias = m == 7 ? new float[0] : random(random, n, 1);
        float[] before = random(random, m * n, 1);
        double[] expected = Numbers.product(a, w, m, n, k);
        boolean adds = name.startsWith("gemm_add");
        for (int i = 0; i < expected.length; i++) {
            expected[i] += (bias.length == 0 ? 0 : bias[i % n]) + (adds ? before[i] : 0);
        }
        DeviceMemory out = adds ? gpu.upload(before) : gpu.allocate(4L * m * n);
        gpu.launch(
                name,
                new int[] {blocks(n, columns), blocks(m, rows)},
                256,
                stages * stageBytes,
                gpu.uploadFp16(a),
                gpu.uploadFp16(w),
                bias.length == 0 ? NONE : gpu.upload(bias),
                out,
                m,
                n,
                k,
                stages);
        assertNear(name + " " + Arrays.toString(shape), gpu.floats(out), expected, 0, 1e-5);
    }

    @Test
    void aRowDoesNotDependOnTheOthers() {
        int n = 96;
        int k = 160;
        Random random = new Random(3);
        float[] a = randomFp16(random, 70 * k, 1);
        DeviceMemory w = gpu.uploadFp16(randomFp16(random, n * k, 1));
        DeviceMemory many = gpu.allocate(4L * 70 * n);
        gpu.launch("gemm_f32", new int[] {1, 1}, 256, 2 * 49152, gpu.uploadFp16(a), w, NONE, many, 70, n, k, 2);
        DeviceMemory one = gpu.allocate(4L * n);
        DeviceMemory row = gpu.uploadFp16(Arrays.copyOfRange(a, 69 * k, 70 * k));
        gpu.launch("gemm_f32", new int[] {1, 1}, 256, 2 * 49152, row, w, NONE, one, 1, n, k, 2);
        assertThat(gpu.floats(one)).isEqualTo(Arrays.copyOfRange(gpu.floats(many), 69 * n, 70 * n));
    }

    @Test
    void rotatesAndStores() {
        for (int[] heads : new int[][] {{1, 1}, {8, 1}, {8, 2}, {64, 8}}) {
            rotatesAndStores(heads[0], heads[1]);
        }
    }

    private void rotatesAndStores(int heads, int kvHeads) {
        Random random = new Random(heads);
        int[] position = {0, 63, 64, -1, 130, 5};
        int[] sequence = {0, 0, 0, 0, 1, 1};
        int rows = position.length;
        int width = (heads + 2 * kvHeads) * 64;
        float[] qkv = random(random, rows * width, 1);
        float[] rope = random(random, 192 * 32 * 2, 1);
        int[][] tables = {{4, 1}, {2, 99, 3}};
        int pages = 5;
        DeviceMemory addresses = gpu.upload(
                gpu.upload(tables[0]).address(), gpu.upload(tables[1]).address());
        DeviceMemory keys = gpu.allocate(2L * pages * kvHeads * 64 * 64);
        DeviceMemory values = gpu.allocate(keys.bytes());
        DeviceMemory q = gpu.allocate(2L * rows * heads * 64);
        gpu.launch(
                "rope_store",
                rows,
                128,
                0,
                gpu.upload(qkv),
                gpu.upload(rope),
                gpu.upload(position),
                gpu.upload(sequence),
                addresses,
                keys,
                values,
                q,
                heads,
                kvHeads);

        // What is not written stays NaN.
        double[] expectedKeys = nan(pages * kvHeads * 64 * 64);
        double[] expectedValues = nan(expectedKeys.length);
        double[] expectedQ = nan(rows * heads * 64);
        for (int row = 0; row < rows; row++) {
            if (position[row] < 0) {
                continue;
            }
            int page = tables[sequence[row]][position[row] / 64];
            for (int head = 0; head < heads + 2 * kvHeads; head++) {
                int from = row * width + head * 64;
                int kvHead = (head - heads) % kvHeads;
                int at = ((page * kvHeads + kvHead) * 64 + position[row] % 64) * 64;
                for (int c = 0; c < 32; c++) {
                    double cos = rope[(position[row] * 32 + c) * 2];
                    double sin = rope[(position[row] * 32 + c) * 2 + 1];
                    double low = qkv[from + c] * cos - qkv[from + 32 + c] * sin;
                    double high = qkv[from + 32 + c] * cos + qkv[from + c] * sin;
                    if (head < heads) {
                        expectedQ[(row * heads + head) * 64 + c] = low / 8;
                        expectedQ[(row * heads + head) * 64 + 32 + c] = high / 8;
                    } else if (head < heads + kvHeads) {
                        expectedKeys[at + c] = low;
                        expectedKeys[at + 32 + c] = high;
                    } else {
                        expectedValues[at + c] = qkv[from + c];
                        expectedValues[at + 32 + c] = qkv[from + 32 + c];
                    }
                }
            }
        }
        assertSameWithNaN("q", gpu.fp16s(q), expectedQ);
        assertSameWithNaN("keys", gpu.fp16s(keys), expectedKeys);
        assertSameWithNaN("values", gpu.fp16s(values), expectedValues);
    }

    private static double[] nan(int count) {
        double[] values = new double[count];
        Arrays.fill(values, Double.NaN);
        return values;
    }

    private static void assertSameWithNaN(String what, float[] seen, double[] expected) {
        for (int i = 0; i < seen.length; i++) {
            boolean same = Double.isNaN(expected[i])
                    ? Float.isNaN(seen[i])
                    : Math.abs(seen[i] - expected[i]) <= FP16 * Math.abs(expected[i]) + 1e-6;
            assertThat(same)
                    .as("%s %s: %s instead of %s", what, i, seen[i], expected[i])
                    .isTrue();
        }
    }

    @Test
    void combines() {
        for (int hidden : new int[] {32, 96, 2880}) {
            int rows = 7;
            int picks = 4;
            Random random = new Random(hidden);
            float[] y = random(random, rows * picks * hidden, 1);
            float[] shares = random(random, rows * picks, 1);
            float[] x = random(random, rows * hidden, 1);
            double[] expected = new double[x.length];
            for (int i = 0; i < x.length; i++) {
                expected[i] = x[i];
                for (int pick = 0; pick < picks; pick++) {
                    int pair = i / hidden * picks + pick;
                    expected[i] += (double) shares[pair] * y[pair * hidden + i % hidden];
                }
            }
            DeviceMemory out = gpu.upload(x);
            gpu.launch("combine", rows, 128, 0, gpu.upload(y), gpu.upload(shares), out, hidden, picks);
            assertNear("combine " + hidden, gpu.floats(out), expected, 0, 1e-6);
        }
    }

    private static int blocks(int count, int each) {
        return (count + each - 1) / each;
    }

    private static double[] doubles(float[] values) {
        double[] out = new double[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = values[i];
        }
        return out;
    }
}
