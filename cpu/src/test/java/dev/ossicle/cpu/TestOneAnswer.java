package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.RandomModel.Storage;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A row's logits are the same bit for bit however the work is cut: into chunks, batches, passes or threads. */
final class TestOneAnswer {
    @ParameterizedTest
    @ValueSource(ints = {100, 101, 102, 103})
    void howeverTheWorkIsCut(int seed) {
        howeverTheWorkIsCut(seed, Precision.EXACT, 32, null);
    }

    @ParameterizedTest
    @ValueSource(ints = {104, 105, 106, 107})
    void inFastToo(int seed) {
        howeverTheWorkIsCut(seed, Precision.FAST, 16, seed % 2 == 0 ? Storage.GGUF_MXFP4 : Storage.MXFP4_ALTERNATING);
    }

    @ParameterizedTest
    @ValueSource(ints = {110, 111, 112})
    void inFastWithBf16(int seed) {
        howeverTheWorkIsCut(seed, Precision.FAST, 16, Storage.BF16);
    }

    @ParameterizedTest
    @ValueSource(ints = {108, 109})
    void withACacheOfEightBits(int seed) {
        howeverTheWorkIsCut(seed, Precision.FAST, 8, Storage.GGUF_MXFP4);
    }

    private static void howeverTheWorkIsCut(int seed, Precision precision, int cacheBits, @Nullable Storage storage) {
        RandomModel model = new RandomModel(seed);
        Random random = new Random(~seed);
        ModelConfig config = model.config();
        ModelWeights weights = model.weights(config, storage);
        String where = "seed " + seed + ", " + precision + ", " + config;
        int[][] prompts = new int[5][];
        float[][][] want = new float[prompts.length][][];
        try (VectorModelRunner runner = new VectorModelRunner(config, weights, options(1, precision, cacheBits), 512)) {
            for (int i = 0; i < prompts.length; i++) {
                prompts[i] = model.tokens(config, 1 + random.nextInt(200));
                want[i] = Logits.whole(runner, prompts[i]);
            }
        }
        int[][] threadsAndPassRows = {{1, 1}, {1, 37}, {2, 512}, {2, 5}, {3, 64}};
        for (int[] cut : threadsAndPassRows) {
            try (VectorModelRunner runner =
                    new VectorModelRunner(config, weights, options(cut[0], precision, cacheBits), cut[1])) {
                String how = where + ", " + cut[0] + " threads, passes of " + cut[1];
                int one = random.nextInt(prompts.length);
                assertSame(Logits.pieces(runner, prompts[one], 1), want[one], how + ", decoded");
                assertSame(Logits.randomPieces(runner, prompts[one], random), want[one], how + ", in pieces");
                float[][][] batched = batched(runner, prompts, random);
                for (int i = 0; i < prompts.length; i++) {
                    assertSame(batched[i], want[i], how + ", prompt " + i + " batched");
                }
            }
        }
    }

    private static DeviceOptions options(int threads, Precision precision, int cacheBits) {
        return new DeviceOptions(threads, precision, cacheBits, 0, 0);
    }

    /** All prompts side by side, a random number of tokens of each at a time: prefill and decode in one batch. */
    private static float[][][] batched(VectorModelRunner runner, int[][] prompts, Random random) {
        float[][][] out = new float[prompts.length][][];
        List<KvSequence> sequences = new ArrayList<>();
        for (int i = 0; i < prompts.length; i++) {
            out[i] = new float[prompts[i].length][];
            sequences.add(runner.newSequence(prompts[i].length));
        }
        while (true) {
            List<Chunk> batch = new ArrayList<>();
            List<Integer> prompt = new ArrayList<>();
            for (int i = 0; i < prompts.length; i++) {
                int at = sequences.get(i).length();
                int left = prompts[i].length - at;
                int count = Math.min(left, random.nextInt(3) == 0 ? random.nextInt(80) : random.nextInt(2));
                if (count > 0) {
                    batch.add(new Chunk(sequences.get(i), Arrays.copyOfRange(prompts[i], at, at + count), count));
                    prompt.add(i);
                }
            }
            if (sequences.stream().mapToInt(KvSequence::length).sum()
                    == Arrays.stream(prompts).mapToInt(each -> each.length).sum()) {
                sequences.forEach(KvSequence::close);
                return out;
            }
            runner.forward(
                    batch,
                    (chunk, position, logits) ->
                            out[prompt.get(chunk)][position] = logits.values().clone());
        }
    }

    private static void assertSame(float[][] got, float[][] want, String how) {
        for (int position = 0; position < want.length; position++) {
            for (int i = 0; i < want[position].length; i++) {
                // Not assertThat on each value: too slow. Zeros of either sign are the same.
                if (got[position][i] != want[position][i]) {
                    assertThat(got[position])
                            .as("%s, position %d", how, position)
                            .isEqualTo(want[position]);
                }
            }
        }
    }
}
