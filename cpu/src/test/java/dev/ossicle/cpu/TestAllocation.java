package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.RandomModel.Storage;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LogitsConsumer;
import dev.ossicle.engine.Precision;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A kernel that C2 could not turn into vector instructions shows by allocating a box for each of them. */
final class TestAllocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final LogitsConsumer NOBODY = (chunk, position, logits) -> {};

    @ParameterizedTest
    @EnumSource
    void decodingAllocatesNextToNothing(Storage storage) {
        decodingAllocatesNextToNothing(storage, Precision.EXACT, 32);
    }

    @Test
    void norInFast() {
        decodingAllocatesNextToNothing(Storage.GGUF_MXFP4, Precision.FAST, 16);
    }

    @Test
    void norWithACacheOfEightBits() {
        decodingAllocatesNextToNothing(Storage.GGUF_MXFP4, Precision.FAST, 8);
    }

    private static void decodingAllocatesNextToNothing(Storage storage, Precision precision, int cacheBits) {
        ModelConfig config =
                new ModelConfig(2, 8, 4, 512, 160, 160, 32, 4, 2, 32, 4096, 150_000, 32, 128, 1, 32, 7, 1e-5);
        try (VectorModelRunner runner = new VectorModelRunner(
                        config,
                        new RandomModel(1).weights(config, storage),
                        new DeviceOptions(1, precision, cacheBits, 0, 0),
                        512);
                KvSequence sequence = runner.newSequence(4096)) {
            List<Chunk> step = List.of(new Chunk(sequence, new int[] {7}, 1));
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 100 && least > 1000; round++) { // until C2 has done its work
                sequence.truncate(0);
                runner.forward(List.of(new Chunk(sequence, new int[80], 80)), NOBODY);
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int token = 0; token < 20; token++) {
                    runner.forward(step, NOBODY);
                }
                least = Math.min(least, (THREADS.getCurrentThreadAllocatedBytes() - before) / 20);
            }
            assertThat(least).as("bytes for each token of 2 layers").isLessThanOrEqualTo(1000);
        }
    }
}
