package dev.ossicle.cuda;

import static dev.ossicle.cuda.Numbers.assertNear;
import static dev.ossicle.cuda.Numbers.random;
import static dev.ossicle.cuda.Numbers.randomBf16;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The experts' products (experts.cu) against plain loops in double precision. */
class TestExpertKernels {
    private static final double BF16 = 1.0 / 256;
    private static final float LIMIT = 7;
    private static final float[] E2M1 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

    /** How the kernels are launched. */
    private record Way(boolean few, int tileRows, int ringBytes) {
        /** Few rows of each expert. */
        static final Way FEW = new Way(true, 16, 36864);
        /** Where a block may have 99 KiB of shared memory. */
        static final Way SMALL = new Way(false, 64, 65536);
        /** 163 KiB. */
        static final Way A100 = new Way(false, 112, 98304);
        /** 227 KiB. */
        static final Way H100 = new Way(false, 112, 196608);

        int weightRows() {
            return few ? 128 : 256;
        }

        int threads() {
            return few ? 128 : 256;
        }

        String kernel(String name) {
            return few ? name + "_few" : name;
        }

        int sharedBytes(int columns) {
            return (weightRows() * columns / 32 + 127) / 128 * 128 + (few ? 256 : 640) + ringBytes;
        }
    }

    private PlayedGpu gpu;
    private boolean changed;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
        int largest = Way.H100.sharedBytes(2880);
        if (gpu.device.attribute(97) < largest) { // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
            PlayedGpu.set(gpu.device.driver(), "shared", largest);
            changed = true;
        }
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            if (changed) {
                PlayedGpu.set(gpu.device.driver(), "reset", 0);
            }
            gpu.close();
        }
    }

    /** Weights of all experts in MXFP4 [E, rows, columns]. */
    private record Weights(int rows, int columns, byte[] codes, byte[] scales) {
        static Weights random(Random random, int experts, int rows, int columns) {
            byte[] codes = new byte[experts * rows * columns / 2];
            random.nextBytes(codes);
            byte[] scales = new byte[experts * rows * columns / 32];
            for (int i = 0; i < scales.length; i++) {
                scales[i] = (byte) (121 + random.nextInt(5));
            }
            return new Weights(rows, columns, codes, scales);
        }

        float get(int expert, int row, int column) {
            int at = (expert * rows + row) * columns + column;
            int code = codes[at / 2] >> column % 2 * 4 & 15;
            return (float) (E2M1[code] * Math.pow(2, (scales[at / 32] & 255) - 127));
        }

        double dot(int expert, int row, float[] in, int at) {
            double sum = 0;
            for (int c = 0; c < columns; c++) {
                sum += (double) get(expert, row, c) * in[at + c];
            }
            return sum;
        }
    }

    /** Which rows go to which experts, and the tiles made of it. */
    private record Schedule(
            int[] order,
            int[] tiles,
            int count,
            DeviceMemory orderMemory,
            DeviceMemory tileMemory,
            DeviceMemory countMemory,
            int most) {}

    private Schedule schedule(int[] picks, int experts, int tileRows) {
        int most = picks.length / tileRows + Math.min(experts, picks.length);
        DeviceMemory order = gpu.allocate(4L * picks.length);
        DeviceMemory tiles = gpu.allocate(16L * most);
        DeviceMemory count = gpu.allocate(4);
        gpu.launch(
                "group", 1, 1024, 4 * experts, gpu.upload(picks), order, tiles, count, picks.length, experts, tileRows);
        return new Schedule(gpu.ints(order), gpu.ints(tiles), gpu.ints(count)[0], order, tiles, count, most);
    }

    /** Rows that each pick different experts; low ones more often, the last never. */
    private static int[] picks(Random random, int rows, int experts, int picks) {
        int[] all = new int[rows * picks];
        for (int row = 0; row < rows; row++) {
            boolean[] taken = new boolean[experts];
            for (int pick = 0; pick < picks; pick++) {
                int expert;
                do {
                    expert = (int) ((experts - 1) * Math.pow(random.nextDouble(), 2));
                } while (taken[expert]);
                taken[expert] = true;
                all[row * picks + pick] = expert;
            }
        }
        return all;
    }

    @Test
    void manyRows() {
        // rows, hidden, intermediate, experts, picks
        check(Way.H100, 1, 64, 96, 3, 2);
        check(Way.SMALL, 7, 96, 160, 5, 4);
        check(Way.A100, 63, 64, 64, 3, 2);
        check(Way.H100, 130, 96, 96, 5, 4);
        check(Way.A100, 130, 160, 32, 32, 4);
        check(Way.SMALL, 130, 160, 32, 32, 4);
        check(Way.H100, 100, 288, 288, 3, 1);
        check(Way.H100, 9, 32, 32, 128, 4);
    }

    @Test
    void fewRows() {
        check(Way.FEW, 1, 64, 96, 3, 2);
        check(Way.FEW, 9, 96, 160, 32, 4);
        check(Way.FEW, 63, 64, 64, 128, 4);
        check(Way.FEW, 17, 288, 96, 3, 2);
        check(Way.FEW, 2, 32, 32, 5, 4);
    }

    @Test
    void theRealWidth() {
        check(Way.H100, 9, 2880, 32, 3, 1);
        check(Way.SMALL, 9, 2880, 32, 3, 1);
        check(Way.FEW, 9, 2880, 32, 3, 1);
        check(Way.A100, 3, 32, 2880, 3, 1);
    }

    /** Each size of a tile's last part, and more rows than one tile has. */
    @Test
    void everyTile() {
        for (int rows : new int[] {16, 17, 33, 49, 65, 81, 97, 112, 113, 130}) {
            check(Way.A100, rows, 64, 160, 2, 1);
            check(Way.SMALL, rows, 96, 128, 2, 1);
        }
    }

    private void check(Way way, int rows, int hidden, int intermediate, int experts, int picksPerRow) {
        Random random = new Random(rows * 31L + hidden);
        String what = way + ", " + rows + " rows, " + hidden + " x " + intermediate + ", " + experts + " experts";
        int[] picks = picks(random, rows, experts, picksPerRow);
        int pairs = picks.length;
        Schedule schedule = schedule(picks, experts, way.tileRows);
        float[] t = randomBf16(random, rows * hidden, 1);

        Weights gateUp = Weights.random(random, experts, 2 * intermediate, hidden);
        float[] gateUpBias = random(random, experts * 2 * intermediate, 1);
        float[] act = gateUp(way, gateUp, gateUpBias, schedule, Numbers.eights(t), picksPerRow);
        double[] expected = new double[pairs * intermediate];
        for (int slot = 0; slot < pairs; slot++) {
            int pair = schedule.order[slot];
            int expert = picks[pair];
            for (int i = 0; i < intermediate; i++) {
                int bias = expert * 2 * intermediate + 2 * i;
                int row = pair / picksPerRow * hidden;
                double gate = Math.min(gateUp.dot(expert, 2 * i, t, row) + gateUpBias[bias], LIMIT);
                double up = Math.clamp(gateUp.dot(expert, 2 * i + 1, t, row) + gateUpBias[bias + 1], -LIMIT, LIMIT);
                expected[slot * intermediate + i] = gate / (1 + Math.exp(-1.702 * gate)) * (up + 1);
            }
        }
        assertNear(what + ": act", act, eights(expected), BF16, 1e-4);

        float[] in = randomBf16(random, pairs * intermediate, 1);
        Weights down = Weights.random(random, experts, hidden, intermediate);
        float[] downBias = random(random, experts * hidden, 1);
        float[] y = down(way, down, downBias, schedule, Numbers.eights(in));
        expected = new double[pairs * hidden];
        for (int slot = 0; slot < pairs; slot++) {
            int pair = schedule.order[slot];
            int expert = picks[pair];
            for (int h = 0; h < hidden; h++) {
                expected[pair * hidden + h] =
                        down.dot(expert, h, in, slot * intermediate) + downBias[expert * hidden + h];
            }
        }
        assertNear(what + ": y", y, expected, 0, 1e-6);
    }

    /** @return act [T*P, I] as the kernel leaves it */
    private float[] gateUp(Way way, Weights weights, float[] bias, Schedule schedule, float[] t, int picksPerRow) {
        int intermediate = weights.rows / 2;
        DeviceMemory act = gpu.allocate(2L * schedule.order.length * intermediate);
        gpu.launch(
                way.kernel("expert_gate_up"),
                new int[] {blocks(weights.rows, way.weightRows()), schedule.most},
                way.threads(),
                way.sharedBytes(weights.columns),
                gpu.uploadBf16(t),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(weights.codes),
                gpu.upload(weights.scales),
                gpu.upload(bias),
                act,
                weights.columns,
                intermediate,
                picksPerRow,
                LIMIT,
                way.ringBytes);
        return gpu.bf16s(act);
    }

    /** @return y [T*P, H] */
    private float[] down(Way way, Weights weights, float[] bias, Schedule schedule, float[] act) {
        DeviceMemory y = gpu.allocate(4L * schedule.order.length * weights.rows);
        gpu.launch(
                way.kernel("expert_down"),
                new int[] {blocks(weights.rows, way.weightRows()), schedule.most},
                way.threads(),
                way.sharedBytes(weights.columns),
                gpu.uploadBf16(act),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(weights.codes),
                gpu.upload(weights.scales),
                gpu.upload(bias),
                y,
                weights.columns,
                weights.rows,
                way.ringBytes);
        return gpu.floats(y);
    }

    /** A row that is 1 in one column gets that column of the weights, exactly. */
    @Test
    void everyCodeOfEveryScaleIsExact() {
        int columns = 64;
        int rows = 32 * 5;
        for (Way way : new Way[] {Way.FEW, Way.H100}) {
            Weights weights = Weights.random(new Random(1), 1, rows, columns);
            for (int row = 0; row < rows; row++) {
                for (int block = 0; block < 2; block++) {
                    // from the lowest scale that is exact for all codes to the highest that is finite
                    weights.scales[row * 2 + block] = (byte) Math.min(192, 59 + row);
                    for (int i = 0; i < 16; i++) {
                        weights.codes[(row * columns + block * 32) / 2 + i] = (byte) (i | (i + row & 15) << 4);
                    }
                }
            }
            Schedule schedule = schedule(new int[columns], 1, way.tileRows);
            float[] in = new float[columns * columns];
            for (int slot = 0; slot < columns; slot++) {
                in[slot * columns + schedule.order[slot]] = 1;
            }
            float[] y = down(way, weights, new float[rows], schedule, Numbers.eights(in));
            for (int column = 0; column < columns; column++) {
                for (int row = 0; row < rows; row++) {
                    float expected = weights.get(0, row, column);
                    assertThat(y[column * rows + row] + 0f)
                            .as("scale %s", 59 + row)
                            .isEqualTo(expected + 0f);
                }
            }
        }
    }

    /** What cannot be told must not pass for a number. */
    @Test
    void aScaleThatIsTooLargeIsNotHidden() {
        Weights weights = Weights.random(new Random(1), 1, 64, 32);
        Arrays.fill(weights.scales, (byte) 193);
        float[] in = new float[32];
        Arrays.fill(in, 1);
        assertThat(gateUp(Way.H100, weights, new float[64], schedule(new int[1], 1, 112), in, 1))
                .containsOnly(Float.NaN);
    }

    /** A row's numbers are the same to the last bit alone and among others, by both kernels. */
    @Test
    void aRowDoesNotDependOnTheOthers() {
        Random random = new Random(5);
        Weights weights = Weights.random(random, 1, 64, 160);
        float[] in = randomBf16(random, 130 * 160, 1);
        float[] all = byRow(Way.H100, weights, in, 130);
        assertThat(byRow(Way.FEW, weights, in, 130)).isEqualTo(all);
        assertThat(byRow(Way.SMALL, weights, Arrays.copyOf(in, 160), 1)).isEqualTo(Arrays.copyOf(all, 32));
    }

    private float[] byRow(Way way, Weights weights, float[] in, int rows) {
        Schedule schedule = schedule(new int[rows], 1, way.tileRows);
        float[] bySlot = gateUp(way, weights, new float[64], schedule, in, 1);
        float[] byRow = new float[bySlot.length];
        for (int slot = 0; slot < rows; slot++) {
            System.arraycopy(bySlot, slot * 32, byRow, schedule.order[slot] * 32, 32);
        }
        return byRow;
    }

    private static double[] eights(double[] values) {
        double[] out = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            out[i] = values[i / 8 * 8 + i % 2 * 4 + i % 8 / 2];
        }
        return out;
    }

    private static int blocks(int count, int each) {
        return (count + each - 1) / each;
    }
}
