package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.MxFp4;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernels of decode.cu on odd shapes, each against plain loops in double precision. */
class TestDecodeKernels {
    private static final int HEAD = 64;
    private static final int PAGE = 64;
    private static final float EPSILON = 1e-5f;
    /** bf16 keeps eight bits: a rounded operand or result is off by at most this share of itself. */
    private static final double BF16 = 0x1p-8;

    /** fp16 keeps eleven. */
    private static final double FP16 = 0x1p-11;

    private PlayedGpu gpu;
    private Random random;
    private DeviceMemory fault;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
        random = new Random(1);
        fault = gpu.upload(0);
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1,64", "3,96", "8,2880"})
    void embedWidensTheRowsOfTheTokens(int rows, int hidden) {
        int vocabulary = 33;
        float[] table = rounded(normal(vocabulary * hidden, 1));
        int[] tokens = random.ints(rows, 0, vocabulary).toArray();
        tokens[0] = vocabulary - 1;
        if (rows > 2) {
            tokens[1] = -1;
            tokens[2] = vocabulary;
        }
        DeviceMemory x = gpu.upload(filled(rows * hidden, 7));
        gpu.launch("embed", rows, 256, 0, gpu.upload(tokens), gpu.uploadBf16(table), x, hidden, rows, vocabulary);
        float[] seen = gpu.floats(x);
        for (int r = 0; r < rows; r++) {
            boolean known = tokens[r] >= 0 && tokens[r] < vocabulary;
            float[] expected =
                    known ? Arrays.copyOfRange(table, tokens[r] * hidden, (tokens[r] + 1) * hidden) : filled(hidden, 7);
            assertThat(Arrays.copyOfRange(seen, r * hidden, (r + 1) * hidden)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,64,2,1", "2,96,8,1", "3,160,8,2", "8,96,4,4", "1,2880,2,1", "5,2880,8,1"})
    void qkvNormsMultipliesRotatesAndStores(int rows, int hidden, int heads, int kvHeads) {
        int widths = (heads + 2 * kvHeads) * HEAD;
        int[] positions = {63, 0, 64, 127, 5000, 128, 4095, 1};
        int[] position = Arrays.copyOf(positions, rows);
        if (rows > 2) {
            position[1] = -1;
        }
        float[] x = normal(rows * hidden, 3);
        for (int i = 0; i < hidden && rows > 2; i++) {
            x[hidden + i] = Float.NaN; // of the padding row
        }
        float[] gain = normal(hidden, 1);
        float[] w = rounded(normal(widths * hidden, 0.05));
        float[] bias = normal(widths, 1);
        float[] rope = normal(5001 * HEAD, 1);
        // Rows are sequences in reverse; each has its own table to pages in a shuffled order.
        int pages = 5001 / PAGE + 1;
        Cache cache = new Cache(rows, pages, kvHeads);
        int[] sequence = new int[rows];
        for (int r = 0; r < rows; r++) {
            sequence[r] = rows - 1 - r;
        }
        float[] empty = filled(cache.size(), 9);
        DeviceMemory keys = gpu.uploadFp16(empty);
        DeviceMemory values = gpu.uploadFp16(empty);
        DeviceMemory q = gpu.allocate(4L * rows * heads * HEAD);

        gpu.launch(
                "decode_qkv",
                (heads + 2 * kvHeads) * 4,
                256,
                rows * denseStride(hidden) + 8224 + 4 * hidden,
                gpu.upload(x),
                gpu.upload(gain),
                EPSILON,
                gpu.uploadFp16(w),
                gpu.upload(bias),
                gpu.upload(rope),
                gpu.upload(position),
                gpu.upload(sequence),
                cache.tables(),
                keys,
                values,
                q,
                hidden,
                heads,
                kvHeads,
                rows,
                fault,
                5);

        float[] expectedKeys = empty.clone();
        float[] expectedValues = empty.clone();
        float[] seenQ = gpu.floats(q);
        for (int r = 0; r < rows; r++) {
            if (position[r] < 0) {
                assertThat(seenQ[r * heads * HEAD]).isNaN();
                continue;
            }
            double[] product = multiply(norm(x, r, gain), w, widths);
            for (int head = 0; head < widths / HEAD; head++) {
                for (int j = 0; j < HEAD / 2; j++) {
                    int at = head * HEAD + j;
                    double a = product[at] + bias[at];
                    double b = product[at + HEAD / 2] + bias[at + HEAD / 2];
                    if (head < heads + kvHeads) {
                        double cos = rope[(position[r] * (HEAD / 2) + j) * 2];
                        double sin = rope[(position[r] * (HEAD / 2) + j) * 2 + 1];
                        double rotated = a * cos - b * sin;
                        b = b * cos + a * sin;
                        a = rotated;
                    }
                    product[at] = a;
                    product[at + HEAD / 2] = b;
                }
            }
            double[] queries = new double[heads * HEAD];
            for (int i = 0; i < queries.length; i++) {
                queries[i] = product[i] / 8;
            }
            assertClose(Arrays.copyOfRange(seenQ, r * heads * HEAD, (r + 1) * heads * HEAD), queries, FP16);
            for (int head = 0; head < kvHeads; head++) {
                int to = cache.at(sequence[r], position[r], head);
                for (int i = 0; i < HEAD; i++) {
                    expectedKeys[to + i] = (float) product[(heads + head) * HEAD + i];
                    expectedValues[to + i] = (float) product[(heads + kvHeads + head) * HEAD + i];
                }
            }
        }
        assertClose(gpu.fp16s(keys), doubles(expectedKeys), FP16);
        assertClose(gpu.fp16s(values), doubles(expectedValues), FP16);
        assertThat(gpu.ints(fault)).containsExactly(0);
    }

    @ParameterizedTest
    @CsvSource({
        "8,1,0,1,700",
        "8,1,0,4,5000",
        "16,2,128,1,700",
        "8,8,0,3,129",
        "4,1,0,2,700",
        "12,1,128,1,5000",
        "24,2,0,5,1023",
        "2,1,100,2,700",
        "8,1,1,1,700",
        "64,8,128,4,300"
    })
    void attentionSeesItsWindowAndTheSink(int heads, int kvHeads, int window, int splits, int deepest) {
        int[] position = {0, 15, 63, -1, 64, 127, 128, deepest};
        int rows = position.length;
        Cache cache = new Cache(rows, deepest / PAGE + 1, kvHeads);
        float[] keys = filled(cache.size(), Float.NaN);
        float[] values = filled(cache.size(), Float.NaN);
        for (int r = 0; r < rows; r++) {
            for (int i = first(position[r], window); i <= position[r]; i++) {
                for (int head = 0; head < kvHeads; head++) {
                    for (int j = 0; j < HEAD; j++) {
                        keys[cache.at(r, i, head) + j] = PlayedGpu.rounded((float) random.nextGaussian());
                        values[cache.at(r, i, head) + j] = PlayedGpu.rounded((float) random.nextGaussian());
                    }
                }
            }
        }
        float[] q = normal(rows * heads * HEAD, 0.5);
        float[] sinks = normal(heads, 3);
        int[] sequence = new int[rows];
        Arrays.setAll(sequence, i -> i);
        int blocks = kvHeads * ((heads / kvHeads + 7) / 8);
        DeviceMemory out = gpu.allocate(2L * rows * heads * HEAD);
        DeviceMemory tickets = gpu.upload(new int[blocks * rows]);
        DeviceMemory keysThere = gpu.uploadFp16(keys);
        DeviceMemory valuesThere = gpu.uploadFp16(values);
        for (int time = 0; time < 2; time++) { // the second time finds the tickets of the first
            gpu.launch(
                    "decode_attention",
                    new int[] {blocks, splits, rows},
                    256,
                    0,
                    gpu.upload(q),
                    gpu.upload(position),
                    gpu.upload(sequence),
                    cache.tables(),
                    keysThere,
                    valuesThere,
                    gpu.upload(sinks),
                    window,
                    gpu.allocate(4L * blocks * splits * rows * 528),
                    tickets,
                    out,
                    heads,
                    kvHeads,
                    splits);
        }
        float[] seen = gpu.fp16s(out);
        for (int r = 0; r < rows; r++) {
            if (position[r] < 0) {
                assertThat(seen[r * heads * HEAD]).isNaN();
                continue;
            }
            for (int head = 0; head < heads; head++) {
                double[] expected = new double[HEAD];
                int from = first(position[r], window);
                double[] shares = new double[position[r] + 1];
                double sum = Math.exp(sinks[head]);
                for (int i = from; i <= position[r]; i++) {
                    double score = 0;
                    for (int j = 0; j < HEAD; j++) {
                        score += (double) q[(r * heads + head) * HEAD + j]
                                * keys[cache.at(r, i, head / (heads / kvHeads)) + j];
                    }
                    shares[i] = Math.exp(score);
                    sum += shares[i];
                }
                for (int i = from; i <= position[r]; i++) {
                    for (int j = 0; j < HEAD; j++) {
                        expected[j] += shares[i] / sum * values[cache.at(r, i, head / (heads / kvHeads)) + j];
                    }
                }
                int at = (r * heads + head) * HEAD;
                // Where the sink has nearly all, fp16 has units of 2^-24.
                double length =
                        Math.sqrt(Arrays.stream(expected).map(v -> v * v).sum());
                double tolerance = Math.max(FP16, 0x1p-25 * Math.sqrt(HEAD) / length);
                assertClose(Arrays.copyOfRange(seen, at, at + HEAD), expected, tolerance);
            }
        }
    }

    private static int first(int position, int window) {
        return window > 0 ? Math.max(0, position - window + 1) : 0;
    }

    @ParameterizedTest
    @CsvSource({"1,64,64", "2,96,512", "8,160,4096", "5,2880,128"})
    void outAddsToTheResidualStream(int rows, int hidden, int width) {
        float[] a = rounded(normal(rows * width, 1));
        float[] w = rounded(normal(hidden * width, 0.1));
        float[] bias = normal(hidden, 1);
        float[] before = normal(rows * hidden, 1);
        DeviceMemory x = gpu.upload(before);
        int[] position = new int[rows];
        position[rows / 2] = rows > 1 ? -1 : 0;
        gpu.launch(
                "decode_out",
                hidden / 16,
                512,
                rows * denseStride(width) + 16384,
                gpu.uploadFp16(a),
                gpu.uploadFp16(w),
                gpu.upload(bias),
                x,
                gpu.upload(position),
                hidden,
                width,
                rows);
        float[] seen = gpu.floats(x);
        for (int r = 0; r < rows; r++) {
            double[] product = multiply(doubles(Arrays.copyOfRange(a, r * width, (r + 1) * width)), w, hidden);
            for (int i = 0; i < hidden; i++) {
                product[i] = position[r] < 0 ? before[r * hidden + i] : product[i] + bias[i] + before[r * hidden + i];
            }
            assertClose(Arrays.copyOfRange(seen, r * hidden, (r + 1) * hidden), product, 1e-6);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,64,3,1", "2,96,5,4", "8,160,32,4", "4,2880,128,4", "3,4096,33,5", "1,64,32,32"})
    void routerPicksTheBestExperts(int rows, int hidden, int experts, int picks) {
        float[] x = normal(rows * hidden, 2);
        float[] gain = normal(hidden, 1);
        float[] w = normal(experts * hidden, 0.3);
        float[] bias = normal(experts, 1);
        if (experts > 5) { // ties
            System.arraycopy(w, 2 * hidden, w, 4 * hidden, hidden);
            System.arraycopy(w, 2 * hidden, w, 5 * hidden, hidden);
            bias[4] = bias[5] = bias[2] += 20;
        }
        int[] position = new int[rows];
        if (rows > 2) {
            position[1] = -1;
            Arrays.fill(x, hidden, 2 * hidden, Float.NaN);
        }
        DeviceMemory t = gpu.upload(new short[rows * hidden]);
        DeviceMemory chosen = gpu.upload(filledInts(rows * picks, 99));
        DeviceMemory shares = gpu.allocate(4L * rows * picks);
        DeviceMemory ticket = gpu.upload(0);
        for (int time = 0; time < 2; time++) {
            gpu.launch(
                    "decode_router",
                    experts,
                    128,
                    rows * experts * 4,
                    gpu.upload(x),
                    gpu.upload(gain),
                    EPSILON,
                    gpu.upload(w),
                    gpu.upload(bias),
                    gpu.upload(position),
                    t,
                    chosen,
                    shares,
                    gpu.allocate(4L * rows * experts),
                    ticket,
                    hidden,
                    experts,
                    picks,
                    rows,
                    fault,
                    5);
        }
        float[] seenT = gpu.bf16s(t);
        int[] seenPicks = gpu.ints(chosen);
        float[] seenShares = gpu.floats(shares);
        for (int r = 0; r < rows; r++) {
            if (position[r] < 0) {
                assertThat(Arrays.copyOfRange(seenPicks, r * picks, (r + 1) * picks))
                        .containsOnly(-1);
                continue;
            }
            double[] normed = norm(x, r, gain);
            float[] inOrder = new float[hidden];
            for (int i = 0; i < hidden; i++) {
                inOrder[i] = seenT[r * hidden + eights(i)];
            }
            assertClose(inOrder, normed, BF16);
            double[] logits = multiply(normed, w, experts);
            for (int e = 0; e < experts; e++) {
                logits[e] += bias[e];
            }
            int[] best = IntStream.range(0, experts)
                    .boxed()
                    .sorted((a, b) -> logits[a] != logits[b] ? Double.compare(logits[b], logits[a]) : a - b)
                    .mapToInt(i -> i)
                    .limit(picks)
                    .toArray();
            assertThat(Arrays.copyOfRange(seenPicks, r * picks, (r + 1) * picks))
                    .isEqualTo(best);
            double sum = Arrays.stream(best)
                    .mapToDouble(e -> Math.exp(logits[e] - logits[best[0]]))
                    .sum();
            for (int p = 0; p < picks; p++) {
                assertThat((double) seenShares[r * picks + p])
                        .isCloseTo(Math.exp(logits[best[p]] - logits[best[0]]) / sum, within(2e-5));
            }
        }
        assertThat(gpu.ints(fault)).containsExactly(0);
    }

    private static Offset<Double> within(double tolerance) {
        return Offset.offset(tolerance);
    }

    /** hidden, intermediate, experts, picks; two rows of the larger batches share experts. */
    @ParameterizedTest
    @CsvSource({
        "1,64,96,3,1",
        "2,96,160,5,4",
        "8,160,96,8,4",
        "3,96,64,128,4",
        "1,2880,96,5,4",
        "4,2880,32,5,4",
        "8,64,32,20,11"
    })
    void gateUpMakesTheExpertsActivations(int rows, int hidden, int intermediate, int experts, int picks) {
        Mx w = new Mx(experts * 2 * intermediate, hidden);
        float[] bias = normal(experts * 2 * intermediate, 1);
        float[] t = rounded(normal(rows * hidden, 3));
        int[] chosen = picks(rows, experts, picks);
        float limit = 7;
        DeviceMemory act = gpu.allocate(2L * rows * picks * intermediate);
        gpu.launch(
                "decode_gate_up",
                new int[] {intermediate / 32, rows * picks},
                256,
                rows * mxStride(hidden) + 2 * hidden,
                gpu.uploadBf16(toEights(t)),
                gpu.upload(chosen),
                gpu.upload(w.codes),
                gpu.upload(w.scales),
                gpu.upload(bias),
                act,
                hidden,
                intermediate,
                picks,
                limit,
                rows);
        float[] seen = gpu.bf16s(act);
        for (int pair = 0; pair < rows * picks; pair++) {
            if (chosen[pair] < 0) {
                assertThat(seen[pair * intermediate]).isNaN();
                continue;
            }
            float[] in = Arrays.copyOfRange(t, pair / picks * hidden, (pair / picks + 1) * hidden);
            float[] inOrder = new float[intermediate];
            double[] expected = new double[intermediate];
            for (int i = 0; i < intermediate; i++) {
                int row = chosen[pair] * 2 * intermediate + 2 * i;
                double gate = Math.min(w.dot(row, in) + bias[row], limit);
                double up = Math.clamp(w.dot(row + 1, in) + bias[row + 1], -limit, limit);
                expected[i] = gate / (1 + Math.exp(-1.702 * gate)) * (up + 1);
                inOrder[i] = seen[pair * intermediate + eights(i)];
            }
            assertClose(inOrder, expected, BF16);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1,64,96,3,1",
        "2,96,160,5,4",
        "8,32,96,8,4",
        "3,96,64,128,4",
        "1,96,2880,5,4",
        "5,32,2880,5,4",
        "2,32,64,20,11"
    })
    void downAddsTheWeightedExperts(int rows, int hidden, int intermediate, int experts, int picks) {
        Mx w = new Mx(experts * hidden, intermediate);
        float[] bias = normal(experts * hidden, 1);
        float[] act = rounded(normal(rows * picks * intermediate, 3));
        float[] before = normal(rows * hidden, 1);
        int[] chosen = picks(rows, experts, picks);
        float[] shares = normal(rows * picks, 1);
        int[] position = new int[rows];
        for (int r = 0; r < rows; r++) {
            position[r] = chosen[r * picks] < 0 ? -1 : 3;
        }
        DeviceMemory x = gpu.upload(before);
        int pairs = Math.min(rows, Math.max(1, 8 / picks)) * picks;
        gpu.launch(
                "decode_down",
                hidden / 16,
                512,
                pairs * (mxStride(intermediate) + intermediate / 2) + rows * picks * 256,
                gpu.uploadBf16(toEights(act)),
                gpu.upload(chosen),
                gpu.upload(shares),
                gpu.upload(w.codes),
                gpu.upload(w.scales),
                gpu.upload(bias),
                x,
                gpu.upload(position),
                hidden,
                intermediate,
                picks,
                rows);
        float[] seen = gpu.floats(x);
        for (int r = 0; r < rows; r++) {
            double[] expected = new double[hidden];
            for (int i = 0; i < hidden; i++) {
                expected[i] = before[r * hidden + i];
                for (int p = 0; p < picks && position[r] >= 0; p++) {
                    int pair = r * picks + p;
                    float[] in = Arrays.copyOfRange(act, pair * intermediate, (pair + 1) * intermediate);
                    int row = chosen[pair] * hidden + i;
                    expected[i] += shares[pair] * (w.dot(row, in) + bias[row]);
                }
            }
            assertClose(Arrays.copyOfRange(seen, r * hidden, (r + 1) * hidden), expected, 2e-6);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,64,320,3", "3,96,321,50", "8,2880,65,2", "2,160,33,1"})
    void logitsOfTheWantedRows(int rows, int hidden, int vocabulary, int blocks) {
        int[] row = new int[rows];
        for (int r = 0; r < rows; r++) {
            row[r] = r == 1 ? -1 : rows - r;
        }
        float[] x = normal((rows + 1) * hidden, 2);
        for (int i = 0; i < x.length; i++) { // small, ordinary and large rows
            x[i] *= new float[] {0.01f, 1, 30_000}[i / hidden % 3];
        }
        float[] gain = normal(hidden, 1);
        float[] w = rounded(normal(vocabulary * hidden, 0.1));
        DeviceMemory logits = gpu.allocate(4L * rows * vocabulary);
        gpu.launch(
                "decode_logits",
                Math.min(blocks, (vocabulary + 15) / 16),
                256,
                rows * denseStride(hidden) + 8224 + 4 * hidden,
                gpu.upload(x),
                gpu.upload(row),
                gpu.upload(gain),
                EPSILON,
                gpu.uploadFp16(w),
                logits,
                hidden,
                vocabulary,
                rows,
                fault,
                5);
        float[] seen = gpu.floats(logits);
        for (int r = 0; r < rows; r++) {
            if (row[r] < 0) {
                assertThat(seen[r * vocabulary]).isNaN();
            } else {
                assertClose(
                        Arrays.copyOfRange(seen, r * vocabulary, (r + 1) * vocabulary),
                        multiply(norm(x, row[r], gain), w, vocabulary),
                        FP16);
            }
        }
        assertThat(gpu.ints(fault)).containsExactly(0);
    }

    @Test
    void numbersThatAreNotFiniteAreReported() {
        int hidden = 64;
        float[] x = normal(hidden, 1);
        x[17] = Float.POSITIVE_INFINITY;
        assertThat(logitsFault(x, normal(32 * hidden, 1))).isEqualTo(5);
        x[17] = 1e30f; // its square overflows
        assertThat(logitsFault(x, normal(32 * hidden, 1))).isEqualTo(5);
        x[17] = 1e9f; // fp16 does
        assertThat(logitsFault(x, normal(32 * hidden, 1))).isEqualTo(6);
        float[] w = normal(32 * hidden, 1);
        w[31 * hidden] = Float.NaN;
        x[17] = 1;
        assertThat(logitsFault(x, w)).isEqualTo(6);
    }

    private int logitsFault(float[] x, float[] w) {
        gpu.launch(
                "decode_logits",
                2,
                256,
                denseStride(64) + 8224 + 4 * 64,
                gpu.upload(x),
                gpu.upload(0),
                gpu.upload(filled(64, 1)),
                EPSILON,
                gpu.uploadFp16(w),
                gpu.allocate(4 * 32),
                64,
                32,
                1,
                fault,
                5);
        int code = gpu.ints(fault)[0];
        fault = gpu.upload(0);
        return code;
    }

    /** What a row becomes does not depend on the others, bit for bit. */
    @Test
    void aRowIsTheSameAloneAndInABatch() {
        int hidden = 96;
        int intermediate = 64;
        Mx w = new Mx(5 * hidden, intermediate);
        float[] bias = normal(5 * hidden, 1);
        int[] chosen = picks(8, 5, 4);
        float[] act = normal(8 * 4 * intermediate, 1);
        float[] shares = normal(8 * 4, 1);
        float[] together = down(w, bias, chosen, act, shares, 8, hidden, intermediate);
        for (int r = 0; r < 8; r++) {
            if (chosen[r * 4] >= 0) {
                float[] alone = down(
                        w,
                        bias,
                        Arrays.copyOfRange(chosen, r * 4, r * 4 + 4),
                        Arrays.copyOfRange(act, r * 4 * intermediate, (r + 1) * 4 * intermediate),
                        Arrays.copyOfRange(shares, r * 4, r * 4 + 4),
                        1,
                        hidden,
                        intermediate);
                assertThat(alone).isEqualTo(Arrays.copyOfRange(together, r * hidden, (r + 1) * hidden));
            }
        }
    }

    private float[] down(
            Mx w, float[] bias, int[] chosen, float[] act, float[] shares, int rows, int hidden, int intermediate) {
        DeviceMemory x = gpu.upload(new float[rows * hidden]);
        gpu.launch(
                "decode_down",
                hidden / 16,
                512,
                Math.min(rows, 2) * 4 * (mxStride(intermediate) + intermediate / 2) + rows * 4 * 256,
                gpu.uploadBf16(act),
                gpu.upload(chosen),
                gpu.upload(shares),
                gpu.upload(w.codes),
                gpu.upload(w.scales),
                gpu.upload(bias),
                x,
                gpu.upload(Arrays.stream(chosen)
                        .filter(i -> true)
                        .limit(rows)
                        .map(i -> 0)
                        .toArray()),
                hidden,
                intermediate,
                4,
                rows);
        return gpu.floats(x);
    }

    // Shapes of shared memory, as decode.cu says.

    private static int denseStride(int columns) {
        return 2 * columns + (columns % 64 == 0 ? 64 : 0);
    }

    private static int mxStride(int columns) {
        return (columns + 127) / 128 * 256 + 64;
    }

    /** Where column i is among eights. */
    private static int eights(int i) {
        return i - i % 8 + (i % 8 < 4 ? 2 * (i % 8) : 2 * (i % 8) - 7);
    }

    private static float[] toEights(float[] rows) {
        float[] out = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
            out[eights(i)] = rows[i];
        }
        return out;
    }

    /** Pages of sequences, shuffled; a page 0 belongs to nobody. */
    private final class Cache {
        private final int[][] pages;
        private final int kvHeads;

        Cache(int sequences, int pagesEach, int kvHeads) {
            this.kvHeads = kvHeads;
            int[] order = new int[sequences * pagesEach];
            Arrays.setAll(order, i -> i + 1);
            for (int i = order.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swap = order[i];
                order[i] = order[j];
                order[j] = swap;
            }
            pages = new int[sequences][];
            for (int s = 0; s < sequences; s++) {
                pages[s] = Arrays.copyOfRange(order, s * pagesEach, (s + 1) * pagesEach);
            }
        }

        int size() {
            return (pages.length * pages[0].length + 1) * kvHeads * PAGE * HEAD;
        }

        int at(int sequence, int position, int head) {
            return ((pages[sequence][position / PAGE] * kvHeads + head) * PAGE + position % PAGE) * HEAD;
        }

        DeviceMemory tables() {
            return gpu.upload(
                    Arrays.stream(pages).mapToLong(p -> gpu.upload(p).address()).toArray());
        }
    }

    /** Random MXFP4 rows. */
    private final class Mx {
        private final int columns;
        final byte[] codes;
        final byte[] scales;

        Mx(int rows, int columns) {
            this.columns = columns;
            codes = new byte[rows * columns / 2];
            scales = new byte[rows * columns / 32];
            random.nextBytes(codes);
            for (int i = 0; i < scales.length; i++) {
                scales[i] = (byte) (116 + random.nextInt(8));
            }
        }

        double dot(int row, float[] in) {
            double sum = 0;
            for (int i = 0; i < columns; i++) {
                int at = row * columns + i;
                int code = codes[at / 2] >> at % 2 * 4 & 15;
                sum += (double) MxFp4.value(code) * MxFp4.scale(scales[at / 32] & 255) * in[i];
            }
            return sum;
        }
    }

    /** Different experts for each row; the second of three or more rows is padding. */
    private int[] picks(int rows, int experts, int picks) {
        int[] chosen = new int[rows * picks];
        for (int r = 0; r < rows; r++) {
            int[] all = random.ints(0, experts).distinct().limit(picks).toArray();
            System.arraycopy(all, 0, chosen, r * picks, picks);
        }
        if (rows > 2) {
            Arrays.fill(chosen, picks, 2 * picks, -1);
        }
        return chosen;
    }

    private static double[] norm(float[] x, int row, float[] gain) {
        double squares = 0;
        for (int i = 0; i < gain.length; i++) {
            squares += (double) x[row * gain.length + i] * x[row * gain.length + i];
        }
        double scale = 1 / Math.sqrt(squares / gain.length + EPSILON);
        double[] out = new double[gain.length];
        for (int i = 0; i < gain.length; i++) {
            out[i] = x[row * gain.length + i] * scale * gain[i];
        }
        return out;
    }

    private static double[] multiply(double[] x, float[] w, int rows) {
        double[] out = new double[rows];
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < x.length; i++) {
                out[r] += x[i] * w[r * x.length + i];
            }
        }
        return out;
    }

    /** By the L2 norm of the difference, relative to that of what is expected. */
    private static void assertClose(float[] seen, double[] expected, double tolerance) {
        assertThat(seen).hasSameSizeAs(expected);
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += (seen[i] - expected[i]) * (seen[i] - expected[i]);
            size += expected[i] * expected[i];
        }
        assertThat(Math.sqrt(difference)).isLessThanOrEqualTo(tolerance * Math.sqrt(size) + 1e-30);
    }

    private float[] normal(int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    private static float[] rounded(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = PlayedGpu.rounded(values[i]);
        }
        return values;
    }

    private static float[] filled(int count, float value) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return values;
    }

    private static int[] filledInts(int count, int value) {
        int[] values = new int[count];
        Arrays.fill(values, value);
        return values;
    }

    private static double[] doubles(float[] values) {
        double[] out = new double[values.length];
        Arrays.setAll(out, i -> values[i]);
        return out;
    }
}
