package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.ReferenceModelRunner;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole forward pass on the played GPU against the reference in double precision. */
class TestCudaModelRunner {
    /** What activations of 16 bits cost. */
    private static final double RANDOM = 1e-2;

    /** Of the fixtures, whose weights have outliers: llama.cpp, which rounds to 8 bits, is at 2.9e-2 on "small". */
    private static final double FIXTURES = 1.5e-2;

    static CudaModelRunner open(ModelConfig config, ModelWeights weights, int passRows, long cacheBytes) {
        DeviceOptions options = new DeviceOptions(2, Precision.FAST, 16, 0, cacheBytes);
        Device device = Device.open(PlayedGpu.driver(), 0);
        return new CudaModelRunner(
                device,
                Path.of("random"),
                config,
                weights,
                options,
                MemoryPlan.of(config, options, passRows),
                null,
                (done, all) -> {});
    }

    static IntStream seeds() {
        return IntStream.range(0, 16);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void agreesOnRandomModels(int seed) {
        RandomModel model = new RandomModel(seed, true);
        ModelConfig config = model.config;
        Random random = new Random(~seed);
        int length = 1 + model.pick(0, 4, 31, config.window() - 1, config.window(), config.window() + 1, 80);
        int[] tokens = model.tokens(length);
        String where = "seed " + seed + ", " + length + " tokens, " + config;

        boolean[] nearTie = new boolean[length];
        float[][] want;
        try (ReferenceModelRunner reference = new ReferenceModelRunner(
                config, model.weights, (sequence, position, layer, g) -> nearTie[position] |= isNearTie(g, config))) {
            want = pieces(reference, tokens, length);
        }
        try (CudaModelRunner runner = open(config, model.weights, 1 + random.nextInt(200), 0)) {
            compare(pieces(runner, tokens, length), want, nearTie, RANDOM, where + ", prefill");
            compare(pieces(runner, tokens, 1), want, nearTie, RANDOM, where + ", decode");
            compare(randomPieces(runner, tokens, random), want, nearTie, RANDOM, where + ", in pieces");
            compareSideBySide(runner, tokens, want, nearTie, random, where);
        }
    }

    @ParameterizedTest
    @CsvSource({"small, original", "window, hf", "window, model.gguf"})
    void agreesOnTheFixtures(String name, String layout) {
        Path path = Path.of("..", "fixtures", "model", name, layout);
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            ModelConfig config = checkpoint.config();
            int[] tokens = new Random(1).ints(60, 0, config.vocabulary()).toArray();
            boolean[] nearTie = new boolean[tokens.length];
            float[][] want;
            try (ReferenceModelRunner reference = new ReferenceModelRunner(
                    config,
                    checkpoint.weights(),
                    (sequence, position, layer, g) -> nearTie[position] |= isNearTie(g, config))) {
                want = pieces(reference, tokens, tokens.length);
            }
            List<Long> left = new ArrayList<>();
            LoadProgress progress = (done, all) -> left.add(all - done);
            try (ModelRunner runner = CudaModelRunner.open(
                    Device.open(PlayedGpu.driver(), 0), checkpoint, DeviceOptions.of(2, Precision.FAST), progress)) {
                assertThat(left).last().isEqualTo(0L);
                compare(pieces(runner, tokens, tokens.length), want, nearTie, FIXTURES, name + ", prefill");
                compare(pieces(runner, tokens, 1), want, nearTie, FIXTURES, name + ", decode");
            }
        }
    }

    /** Whether rounding might decide which expert comes last. */
    private static boolean isNearTie(double[] g, ModelConfig config) {
        if (config.expertsPerToken() == config.experts()) {
            return false;
        }
        double[] sorted = g.clone();
        Arrays.sort(sorted);
        int last = g.length - config.expertsPerToken();
        return sorted[last] - sorted[last - 1] < 2e-2;
    }

    /**
     * Relative error over the positions together before the first near tie: an expert that is picked or not changes what later
     * positions see. And the median over all positions without one.
     */
    private static void compare(float[][] got, float[][] want, boolean[] nearTie, double tolerance, String where) {
        double difference = 0;
        double length = 0;
        boolean clear = true;
        List<Double> errors = new ArrayList<>();
        for (int position = 0; position < want.length; position++) {
            clear &= !nearTie[position];
            double d = squares(got[position], want[position]);
            double l = squares(want[position], new float[want[position].length]);
            if (clear) {
                difference += d;
                length += l;
            }
            if (!nearTie[position]) {
                errors.add(Math.sqrt(d / l));
            }
        }
        if (length > 0) {
            assertThat(Math.sqrt(difference / length)).as(where).isLessThanOrEqualTo(tolerance);
        }
        if (!errors.isEmpty()) {
            errors.sort(null);
            assertThat(errors.get(errors.size() / 2)).as("%s, median", where).isLessThanOrEqualTo(tolerance);
        }
    }

    /** Of the length of the difference. */
    private static double squares(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
        }
        return sum;
    }

    /** Some sequences in one batch, decoding and not. */
    private static void compareSideBySide(
            CudaModelRunner runner, int[] tokens, float[][] want, boolean[] nearTie, Random random, String where) {
        int count = 2 + random.nextInt(12);
        List<KvSequence> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sequences.add(runner.newSequence(tokens.length));
        }
        float[][][] got = new float[count][tokens.length][];
        while (sequences.stream().anyMatch(each -> each.length() < tokens.length)) {
            boolean decode = random.nextBoolean();
            List<Chunk> batch = new ArrayList<>();
            List<Integer> members = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int length = sequences.get(i).length();
                int left = tokens.length - length;
                if (left > 0 && random.nextInt(4) > 0) {
                    int piece = decode ? 1 : 1 + random.nextInt(left);
                    batch.add(new Chunk(sequences.get(i), Arrays.copyOfRange(tokens, length, length + piece), piece));
                    members.add(i);
                }
            }
            runner.forward(
                    batch,
                    (chunk, position, logits) ->
                            got[members.get(chunk)][position] = logits.values().clone());
        }
        for (int i = 0; i < count; i++) {
            compare(got[i], want, nearTie, RANDOM, where + ", sequence " + i + " of " + count);
            sequences.get(i).close();
        }
        assertThat(runner.cacheBytes()).isZero();
    }

    private static float[][] pieces(ModelRunner runner, int[] tokens, int piece) {
        float[][] out = new float[tokens.length][];
        try (KvSequence sequence = runner.newSequence(tokens.length)) {
            for (int at = 0; at < tokens.length; at += piece) {
                append(runner, sequence, Arrays.copyOfRange(tokens, at, Math.min(at + piece, tokens.length)), out);
            }
        }
        return out;
    }

    private static float[][] randomPieces(ModelRunner runner, int[] tokens, Random random) {
        float[][] out = new float[tokens.length][];
        try (KvSequence sequence = runner.newSequence(tokens.length)) {
            for (int at = 0; at < tokens.length; ) {
                int left = tokens.length - at;
                int count = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(left);
                append(runner, sequence, Arrays.copyOfRange(tokens, at, at + count), out);
                at += count;
            }
        }
        return out;
    }

    private static void append(ModelRunner runner, KvSequence sequence, int[] tokens, float[][] out) {
        runner.forward(
                List.of(new Chunk(sequence, tokens, tokens.length)),
                (chunk, position, logits) -> out[position] = logits.values().clone());
    }
}
