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
    private record Schedule(int[] order, int[] tiles, int count, DeviceMemory orderMemory, DeviceMemory tileMemory, DeviceMemory countMemory, int most) {}

    private Schedule schedule(int[] picks, int experts, int tileRows) {
        int most = picks.length / tileRows + Math.min(experts, picks.length);
        DeviceMemory order = gpu.allocate(4L * picks.length);
        DeviceMemory tiles = gpu.allocate(16L * most);
        DeviceMemory count = gpu.allocate(4);
        gpu.launch("group", 1, 1024, 4 * experts, gpu.upload(picks), order, tiles, count, picks.length, experts, tileRows);
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
        check(false, 1, 64, 96, 3, 2);
        check(false, 7, 96, 160, 5, 4);
        check(false, 63, 64, 64, 3, 2);
        check(false, 130, 96, 96, 5, 4);
        check(false, 130, 160, 32, 32, 4);
        check(false, 100, 288, 288, 3, 1);
        check(false, 9, 32, 32, 128, 4);
    }

    @Test
    void fewRows() {
        check(true, 1, 64, 96, 3, 2);
        check(true, 9, 96, 160, 32, 4);
        check(true, 63, 64, 64, 128, 4);
        check(true, 17, 288, 96, 3, 2);
        check(true, 2, 32, 32, 5, 4);
    }

    @Test
    void theRealWidth() {
        check(false, 9, 2880, 32, 3, 1);
        check(true, 9, 2880, 32, 3, 1);
        check(false, 3, 32, 2880, 3, 1);
    }

    /** Each size of a tile's last part, and more rows than one tile has. */
    @Test
    void everyTile() {
        for (int rows : new int[] {16, 17, 33, 49, 65, 81, 97, 112, 113, 130}) {
            check(false, rows, 64, 160, 2, 1);
        }
    }

    private void check(boolean few, int rows, int hidden, int intermediate, int experts, int picksPerRow) {
        Random random = new Random(rows * 31L + hidden);
        int tileRows = few ? 16 : hidden == 160 ? 64 : 112;
        int ringBytes = few ? 36864 : tileRows == 64 ? 65536 : 98304;
        String what = (few ? "few " : "many ") + rows + " rows, " + hidden + " x " + intermediate + ", " + experts + " experts";
        int[] picks = picks(random, rows, experts, picksPerRow);
        int pairs = picks.length;
        Schedule schedule = schedule(picks, experts, tileRows);
        float[] t = randomBf16(random, rows * hidden, 1);

        Weights gateUp = Weights.random(random, experts, 2 * intermediate, hidden);
        float[] gateUpBias = random(random, experts * 2 * intermediate, 1);
        DeviceMemory act = gpu.allocate(2L * pairs * intermediate);
        gpu.launch(
                few ? "expert_gate_up_few" : "expert_gate_up",
                new int[] {blocks(2 * intermediate, few ? 128 : 256), schedule.most},
                few ? 128 : 256,
                shared(few, hidden, ringBytes),
                gpu.uploadBf16(Numbers.eights(t)),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(gateUp.codes),
                gpu.upload(gateUp.scales),
                gpu.upload(gateUpBias),
                act,
                hidden,
                intermediate,
                picksPerRow,
                LIMIT,
                ringBytes);
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
        assertNear(what + ": act", gpu.bf16s(act), eights(expected), BF16, 1e-4);

        float[] in = randomBf16(random, pairs * intermediate, 1);
        Weights down = Weights.random(random, experts, hidden, intermediate);
        float[] downBias = random(random, experts * hidden, 1);
        DeviceMemory y = gpu.allocate(2L * pairs * hidden);
        gpu.launch(
                few ? "expert_down_few" : "expert_down",
                new int[] {blocks(hidden, few ? 128 : 256), schedule.most},
                few ? 128 : 256,
                shared(few, intermediate, ringBytes),
                gpu.uploadBf16(Numbers.eights(in)),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(down.codes),
                gpu.upload(down.scales),
                gpu.upload(downBias),
                y,
                intermediate,
                hidden,
                ringBytes);
        expected = new double[pairs * hidden];
        for (int slot = 0; slot < pairs; slot++) {
            int pair = schedule.order[slot];
            int expert = picks[pair];
            for (int h = 0; h < hidden; h++) {
                expected[pair * hidden + h] = down.dot(expert, h, in, slot * intermediate) + downBias[expert * hidden + h];
            }
        }
        assertNear(what + ": y", gpu.bf16s(y), expected, BF16, 1e-5);
    }

    private static int shared(boolean few, int columns, int ringBytes) {
        return (few ? 256 : 640) + ((few ? 4 : 8) * columns + 127) / 128 * 128 + ringBytes;
    }

    /** A row that is 1 in one column gets that column of the weights, exactly. */
    @Test
    void everyCodeOfEveryScaleIsExact() {
        int columns = 64;
        int rows = 32 * 5;
        for (boolean few : new boolean[] {false, true}) {
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
            int[] picks = new int[columns];
            Schedule schedule = schedule(picks, 1, few ? 16 : 112);
            float[] in = new float[columns * columns];
            for (int slot = 0; slot < columns; slot++) {
                in[slot * columns + schedule.order[slot]] = 1;
            }
            DeviceMemory y = gpu.allocate(2L * columns * rows);
            int ringBytes = few ? 36864 : 98304;
            gpu.launch(
                    few ? "expert_down_few" : "expert_down",
                    new int[] {blocks(rows, few ? 128 : 256), schedule.most},
                    few ? 128 : 256,
                    shared(few, columns, ringBytes),
                    gpu.uploadBf16(Numbers.eights(in)),
                    schedule.orderMemory,
                    schedule.tileMemory,
                    schedule.countMemory,
                    gpu.upload(weights.codes),
                    gpu.upload(weights.scales),
                    gpu.upload(new float[rows]),
                    y,
                    columns,
                    rows,
                    ringBytes);
            float[] seen = gpu.bf16s(y);
            for (int column = 0; column < columns; column++) {
                for (int row = 0; row < rows; row++) {
                    assertThat(seen[column * rows + row] + 0f)
                            .as("scale %s", 59 + row)
                            .isEqualTo(weights.get(0, row, column) + 0f);
                }
            }
        }
    }

    /** What cannot be told must not pass for a number. */
    @Test
    void aScaleThatIsTooLargeIsNotHidden() {
        Weights weights = Weights.random(new Random(1), 1, 64, 32);
        Arrays.fill(weights.scales, (byte) 193);
        Schedule schedule = schedule(new int[] {0}, 1, 112);
        float[] in = new float[32];
        Arrays.fill(in, 1);
        DeviceMemory act = gpu.allocate(2L * 32);
        gpu.launch(
                "expert_gate_up",
                new int[] {1, 1},
                256,
                shared(false, 32, 98304),
                gpu.uploadBf16(in),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(weights.codes),
                gpu.upload(weights.scales),
                gpu.upload(new float[64]),
                act,
                32,
                32,
                1,
                LIMIT,
                98304);
        for (float value : gpu.bf16s(act)) {
            assertThat(value).isNaN();
        }
    }

    /** A row's numbers are the same to the last bit alone and among others, by both kernels. */
    @Test
    void aRowDoesNotDependOnTheOthers() {
        Random random = new Random(5);
        Weights weights = Weights.random(random, 1, 64, 160);
        float[] in = randomBf16(random, 130 * 160, 1);
        float[] all = gateUp(weights, in, 130, false);
        float[] few = gateUp(weights, in, 130, true);
        float[] one = gateUp(weights, Arrays.copyOf(in, 160), 1, false);
        assertThat(few).isEqualTo(all);
        assertThat(one).isEqualTo(Arrays.copyOf(all, 32));
    }

    private float[] gateUp(Weights weights, float[] in, int rows, boolean few) {
        Schedule schedule = schedule(new int[rows], 1, few ? 16 : 112);
        int ringBytes = few ? 36864 : 98304;
        DeviceMemory act = gpu.allocate(2L * rows * 32);
        gpu.launch(
                few ? "expert_gate_up_few" : "expert_gate_up",
                new int[] {1, schedule.most},
                few ? 128 : 256,
                shared(few, 160, ringBytes),
                gpu.uploadBf16(in),
                schedule.orderMemory,
                schedule.tileMemory,
                schedule.countMemory,
                gpu.upload(weights.codes),
                gpu.upload(weights.scales),
                gpu.upload(new float[64]),
                act,
                160,
                32,
                1,
                LIMIT,
                ringBytes);
        float[] bySlot = gpu.bf16s(act);
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
