package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whether the played GPU plays right, and whether it catches what a kernel may do wrong. */
class TestPlayedGpu {
    private PlayedGpu gpu;

    @BeforeEach
    void open() {
        PlayedGpu.onlyPlayed();
        gpu = PlayedGpu.open();
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
        }
    }

    @Test
    void addsOverSeveralBlocks() {
        float[] a = random(1000);
        DeviceMemory b = gpu.upload(new float[1000]);
        gpu.launch("probe_add", 4, 256, 0, gpu.upload(a), b, 2.0f, 1000);
        for (int i = 0; i < 1000; i++) {
            assertThat(gpu.floats(b)[i]).isEqualTo(2 * a[i]);
        }
    }

    @Test
    void warpsShuffleAndBlocksMeet() {
        float[] a = random(3 * 128);
        DeviceMemory reversed = gpu.allocate(4 * a.length);
        DeviceMemory sums = gpu.allocate(4 * 3);
        gpu.launch("probe_meet", 3, 128, 0, gpu.upload(a), reversed, sums);
        float[] seen = gpu.floats(reversed);
        for (int i = 0; i < a.length; i++) {
            assertThat(seen[i]).isEqualTo(a[i / 32 * 32 + 31 - i % 32]);
        }
        for (int block = 0; block < 3; block++) {
            double sum = 0;
            for (int i = 0; i < 128; i++) {
                sum += a[block * 128 + i];
            }
            assertThat(gpu.floats(sums)[block]).isCloseTo((float) sum, Offset.offset(1e-4f));
        }
    }

    @Test
    void mmaMultipliesWhatLdmatrixAndCpAsyncBrought() {
        float[] a = random(16 * 16);
        float[] b = random(16 * 8);
        DeviceMemory d = gpu.allocate(4 * 16 * 8);
        gpu.launch("probe_mma_bf16", 1, 32, 2 * (16 * 16 + 32 * 8), gpu.uploadBf16(a), gpu.uploadBf16(b), d);
        assertProduct(gpu.floats(d), a, b, PlayedGpu::rounded);
        gpu.launch("probe_mma_fp16", 1, 32, 2 * (16 * 16 + 32 * 8), gpu.uploadFp16(a), gpu.uploadFp16(b), d);
        assertProduct(gpu.floats(d), a, b, Numbers::fp16);
    }

    private static void assertProduct(float[] seen, float[] a, float[] b, UnaryOperator<Float> rounded) {
        for (int row = 0; row < 16; row++) {
            for (int column = 0; column < 8; column++) {
                double sum = 0;
                for (int k = 0; k < 16; k++) {
                    sum += (double) rounded.apply(a[row * 16 + k]) * rounded.apply(b[k * 8 + column]);
                }
                assertThat(seen[row * 8 + column]).isCloseTo((float) sum, Offset.offset(1e-5f));
            }
        }
    }

    @Test
    void theLastBlockKnowsThatItIsLast() {
        DeviceMemory ticket = gpu.upload(0);
        DeviceMemory last = gpu.upload(0);
        gpu.launch("probe_ticket", 7, 32, 0, ticket, last);
        assertThat(gpu.ints(last)).containsExactly(7);
        assertThat(gpu.ints(ticket)).containsExactly(0);
    }

    @Test
    void threadsThatNeverMeetAreAnError() {
        assertThatThrownBy(() -> gpu.launch("probe_deadlock", 1, 64, 0, gpu.allocate(256)))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("probe_deadlock")
                .hasMessageContaining("never meet")
                .hasMessageContaining("32 threads (first 0) wait at the barrier of probe.cu:");
        // and the next launch is not disturbed
        theLastBlockKnowsThatItIsLast();
    }

    @Test
    void aWriteBesideAnAllocationIsAnError() {
        DeviceMemory out = gpu.allocate(40);
        gpu.launch("probe_outside", 1, 32, 0, out, 9);
        assertThatThrownBy(() -> gpu.launch("probe_outside", 1, 32, 0, out, 10))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("wrote outside of device memory: at byte 40 of an allocation of 40 bytes");
        assertThatThrownBy(() -> gpu.launch("probe_outside", 1, 32, 0, out, -3))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("wrote outside");
        assertThatThrownBy(() -> gpu.launch("probe_outside", 1, 32, 0, 64L, 0))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("far out of range, at address 0x40");
        theLastBlockKnowsThatItIsLast();
    }

    @Test
    void aMisalignedAccessIsAnError() {
        DeviceMemory in = gpu.upload(new byte[1024]);
        DeviceMemory out = gpu.allocate(512);
        gpu.launch("probe_misaligned", 1, 16, 0, in, out, 16);
        assertThatThrownBy(() -> gpu.launch("probe_misaligned", 1, 16, 0, in, out, 8))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("misaligned access")
                .hasMessageContaining("probe.cu:");
    }

    @Test
    void launchesAreCheckedBeforeTheyRun() {
        DeviceMemory memory = gpu.allocate(256);
        assertThatThrownBy(() -> gpu.launch("probe_ticket", 1, 64, 0, memory, memory))
                .hasMessageContaining("launch bounds 32");
        assertThatThrownBy(() -> gpu.launch("probe_ticket", 1, 32, 0, memory, 1))
                .hasMessageContaining("kernel probe_ticket takes 8 bytes as argument 1, not 4");
        assertThatThrownBy(() -> gpu.launch("probe_ticket", 1, 32, 0, memory))
                .hasMessageContaining("takes 2 arguments, not 1");
        assertThatThrownBy(() -> gpu.launch("probe_ticket", 1, 32, 200_000, memory, memory))
                .hasMessageContaining("200000 bytes of shared memory");
        assertThatThrownBy(() -> gpu.launch("nothing", 1, 32, 0)).hasMessageContaining("no kernel nothing");
    }

    private static float[] random(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
