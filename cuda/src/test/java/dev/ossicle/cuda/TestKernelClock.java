package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Passes that are measured compute the same as others. */
class TestKernelClock {
    @Test
    void timesEachKernelOfAStep() {
        RandomModel model = new RandomModel(3, true);
        int layers = model.config.layers();
        int[] tokens = model.tokens(4);
        try (CudaModelRunner runner = TestCudaModelRunner.open(model.config, model.weights, 64, 0);
                KernelClock clock = new KernelClock(runner, 1e9)) {
            List<float[]> measured = new ArrayList<>();
            try (KvSequence sequence = runner.newSequence(tokens.length)) {
                Map<String, KernelClock.Time> times = clock.times(
                        tokens.length, () -> measured.add(step(runner, sequence, tokens[sequence.length()])));
                assertThat(times.keySet())
                        .containsExactly(
                                "embed",
                                "decode_qkv",
                                "decode_attention",
                                "decode_out",
                                "decode_router",
                                "decode_gate_up",
                                "decode_down",
                                "decode_logits");
                times.forEach((name, time) -> {
                    assertThat(time.launches())
                            .as(name)
                            .isEqualTo(name.equals("embed") || name.equals("decode_logits") ? 1 : layers);
                    assertThat(time.milliseconds()).as(name).isPositive();
                });
            }
            long waited = runner.waitedNanos();
            long start = System.nanoTime();
            try (KvSequence sequence = runner.newSequence(tokens.length)) {
                for (int i = 0; i < tokens.length; i++) {
                    assertThat(step(runner, sequence, tokens[i])).isEqualTo(measured.get(i));
                }
            }
            assertThat(runner.waitedNanos() - waited).isBetween(1L, System.nanoTime() - start);
        }
    }

    private static float[] step(CudaModelRunner runner, KvSequence sequence, int token) {
        float[][] row = new float[1][];
        runner.forward(
                List.of(new Chunk(sequence, new int[] {token}, 1)),
                (chunk, position, logits) -> row[0] = logits.values());
        return row[0];
    }
}
