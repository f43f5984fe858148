package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.Sampler;
import dev.ossicle.engine.Sampling;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** sample.cu against the host's sampler, token for token. */
class TestSampleKernel {
    private static final int CHUNK = 2048;

    private PlayedGpu gpu;
    private DeviceMemory fault;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
        fault = gpu.upload(0);
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
        }
    }

    /**
     * Thousands of draws. The uniform numbers are the sampler's own, so the two see the same ones; none of these lies within
     * 1e-12 of a boundary, so there is no exception to be made.
     *
     * @param spread of the logits: small is flat
     */
    @ParameterizedTest
    @CsvSource({
        "1, 2",
        "2, 2",
        "31, 1",
        "320, 3",
        "321, 0.1",
        "2047, 1",
        "2048, 3",
        "2049, 2",
        "5000, 0.01",
        "8192, 1",
        "9999, 4"
    })
    void drawsWhatTheHostDraws(int vocabulary, double spread) {
        Random random = new Random(vocabulary);
        for (int round = 0; round < 60; round++) {
            int rows = 1 + random.nextInt(8);
            float[][] logits = new float[rows][];
            Sampling[] samplings = new Sampling[rows];
            @Nullable BitMask[] masks = new BitMask[rows];
            for (int r = 0; r < rows; r++) {
                logits[r] = logits(random, vocabulary, spread);
                samplings[r] = sampling(random, vocabulary);
                masks[r] = random.nextInt(3) == 0 ? mask(random, vocabulary) : null;
            }
            check(logits, samplings, masks, random.nextInt(1000));
        }
        assertThat(gpu.ints(fault)).containsExactly(0);
    }

    /** Where thousands of tokens are kept, the window must move. */
    @ParameterizedTest
    @CsvSource({
        "0.999, 0, 0",
        "0.5, 0, 0",
        "0.9, 7000, 0",
        "1, 9000, 0",
        "1, 0, 0.001",
        "0.7, 8000, 0.002",
        "1e-9, 0, 0"
    })
    void drawsFromFlatRowsToo(double topP, int topK, double minP) {
        int vocabulary = 12_345;
        Random random = new Random(7);
        float[][] logits = new float[8][];
        Sampling[] samplings = new Sampling[8];
        for (int r = 0; r < 8; r++) {
            logits[r] = logits(random, vocabulary, r == 0 ? 0 : 0.3 * r);
            samplings[r] = new Sampling(r == 1 ? 5 : 1, topP, topK, minP, r);
        }
        for (int index = 0; index < 3; index++) {
            check(logits, samplings, new BitMask[8], index);
        }
    }

    @Test
    void equalLogitsAreTakenInOrder() {
        float[] logits = new float[3000];
        Arrays.fill(logits, -5);
        logits[2500] = 1;
        logits[2100] = 1;
        logits[7] = 0f;
        logits[5] = -0f;
        check(logits, Sampling.GREEDY, null, 2100);
        BitMask mask = new BitMask(3000);
        mask.set(7);
        mask.set(5);
        mask.set(2999);
        check(logits, Sampling.GREEDY, mask, 5); // 0 and -0 are equal
        check(logits, new Sampling(1, 1, 1, 0, 3), null, 2100);
        check(logits, new Sampling(0.5, 1e-6, 0, 0, 3), null, 2100);
    }

    @Test
    void rowsWithoutRequestAreLeftAlone() {
        float[] logits = {1, 2, 3};
        int[][] drawn = draw(new float[][] {logits, logits}, new Sampling[] {null, Sampling.GREEDY}, new BitMask[2], 0);
        assertThat(drawn[0]).containsExactly(77, 2);
        assertThat(drawn[1]).containsExactly(77, 2);
    }

    @Test
    void whatNoMaskAllowsIsMinusOneAndWhatIsNotFiniteIsReported() {
        float[] logits = new float[3000];
        assertThat(draw(
                        new float[][] {logits},
                        new Sampling[] {Sampling.DEFAULT},
                        new BitMask[] {new BitMask(3000)},
                        0)[0])
                .containsExactly(-1);
        assertThat(gpu.ints(fault)).containsExactly(0);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            logits[2999] = bad;
            for (Sampling sampling : new Sampling[] {
                Sampling.DEFAULT, Sampling.GREEDY, new Sampling(1, 0.9, 0, 0, 1), new Sampling(1, 0.9, 2500, 0.1, 1)
            }) {
                draw(new float[][] {logits}, new Sampling[] {sampling}, new BitMask[1], 0);
                assertThat(gpu.ints(fault)).containsExactly(9);
                fault = gpu.upload(0);
            }
        }
    }

    private void check(float[] logits, Sampling sampling, @Nullable BitMask mask, int expected) {
        assertThat(draw(new float[][] {logits}, new Sampling[] {sampling}, new BitMask[] {mask}, 0)[0])
                .containsExactly(expected);
        check(new float[][] {logits}, new Sampling[] {sampling}, new BitMask[] {mask}, 0);
    }

    private void check(float[][] logits, Sampling[] samplings, @Nullable BitMask[] masks, long index) {
        int[][] drawn = draw(logits, samplings, masks, index);
        Sampler host = new Sampler(logits[0].length);
        for (int r = 0; r < logits.length; r++) {
            assertThat(drawn[0][r])
                    .describedAs("vocabulary %s, row %s, %s, index %s", logits[0].length, r, samplings[r], index)
                    .isEqualTo(host.sample(logits[r], samplings[r], index, masks[r]));
        }
        assertThat(drawn[1]).isEqualTo(drawn[0]);
    }

    /** Token and outToken of each row, 77 before. */
    private int[][] draw(float[][] logits, Sampling[] samplings, @Nullable BitMask[] masks, long index) {
        int rows = logits.length;
        int vocabulary = logits[0].length;
        int words = (vocabulary + 31) / 32;
        float[] all = new float[rows * vocabulary];
        int[] bits = new int[rows * words];
        byte[] requests = new byte[rows * 40];
        MemorySegment out = MemorySegment.ofArray(requests);
        for (int r = 0; r < rows; r++) {
            System.arraycopy(logits[r], 0, all, r * vocabulary, vocabulary);
            Sampling s = samplings[r];
            double[] numbers = s == null
                    ? new double[] {-1, 1, 0, 0}
                    : new double[] {s.temperature(), s.topP(), s.minP(), Sampler.uniform(s.seed(), index)};
            for (int i = 0; i < 4; i++) {
                out.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, r * 40L + i * 8L, numbers[i]);
            }
            out.set(ValueLayout.JAVA_INT_UNALIGNED, r * 40L + 32, s == null ? 0 : s.topK());
            out.set(ValueLayout.JAVA_INT_UNALIGNED, r * 40L + 36, masks[r] == null ? 0 : 1);
            for (int id = 0; id < vocabulary && masks[r] != null; id++) {
                bits[r * words + id / 32] |= masks[r].get(id) ? 1 << id : 0;
            }
        }
        int chunks = (vocabulary + CHUNK - 1) / CHUNK;
        int[] before = new int[rows];
        Arrays.fill(before, 77);
        DeviceMemory token = gpu.upload(before);
        DeviceMemory outToken = gpu.upload(before);
        DeviceMemory tickets = gpu.upload(new int[rows]);
        DeviceMemory logitsThere = gpu.upload(all);
        DeviceMemory requestsThere = gpu.upload(requests);
        DeviceMemory masksThere = gpu.upload(bits);
        DeviceMemory chunksThere = gpu.allocate(32L * rows * chunks);
        DeviceMemory largest = gpu.allocate(4L * rows * words);
        gpu.launch(
                "sample",
                new int[] {chunks, rows},
                512,
                32768 + 4 * words,
                logitsThere,
                requestsThere,
                masksThere,
                token,
                outToken,
                chunksThere,
                largest,
                tickets,
                vocabulary,
                fault,
                9);
        assertThat(gpu.ints(tickets)).containsOnly(0);
        return new int[][] {gpu.ints(token), gpu.ints(outToken)};
    }

    /** A few high ones above a crowd, with ties. */
    private static float[] logits(Random random, int vocabulary, double spread) {
        float[] logits = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) (random.nextGaussian() * spread - 3);
            if (random.nextInt(50) == 0) {
                logits[i] = Math.round(logits[i]);
            }
        }
        for (int i = 0; i < 5; i++) {
            logits[random.nextInt(vocabulary)] += (float) (random.nextDouble() * 4 * spread);
        }
        return logits;
    }

    private static Sampling sampling(Random random, int vocabulary) {
        double temperature = new double[] {0, 0.2, 1, 1, 1, 2.5}[random.nextInt(6)];
        double topP = new double[] {1, 1, 0.95, 0.5, 1e-3, 0.9999}[random.nextInt(6)];
        int topK = new int[] {0, 0, 1, 40, 1000, vocabulary, 5 * vocabulary}[random.nextInt(7)];
        double minP = new double[] {0, 0, 0, 0.05, 0.5, 1}[random.nextInt(6)];
        return new Sampling(temperature, topP, topK, minP, random.nextLong());
    }

    private static BitMask mask(Random random, int vocabulary) {
        BitMask mask = new BitMask(vocabulary);
        int every = new int[] {1, 2, 50, vocabulary}[random.nextInt(4)];
        for (int id = 0; id < vocabulary; id++) {
            if (random.nextInt(every) == 0) {
                mask.set(id);
            }
        }
        mask.set(random.nextInt(vocabulary));
        return mask;
    }
}
