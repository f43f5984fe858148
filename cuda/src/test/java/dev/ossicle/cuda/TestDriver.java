package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory, streams, events and graphs, each as late as the played driver can be. */
class TestDriver {
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
    void memoryIsCopiedFilledAndSliced() {
        DeviceMemory memory = gpu.upload(1, 2, 3, 4, 5);
        DeviceMemory other = gpu.allocate(20);
        gpu.stream.copy(memory.slice(4, 12), other.slice(8, 12));
        gpu.stream.fill(other.slice(0, 8), (byte) 7);
        assertThat(gpu.ints(other)).containsExactly(0x07070707, 0x07070707, 2, 3, 4);
        assertThatThrownBy(() -> memory.slice(8, 13)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> gpu.stream.copy(memory, other.slice(4, 16)))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessage("a copy of 20 bytes, of 16");
    }

    @Test
    void freshMemoryIsNotANumber() {
        assertThat(gpu.floats(gpu.allocate(8))).containsOnly(Float.NaN);
    }

    @Test
    void pinnedMemoryIsReadWhenTheStreamGetsThere() {
        PlayedGpu.onlyPlayed();
        try (PinnedMemory pinned = PinnedMemory.allocate(gpu.device, 4)) {
            DeviceMemory memory = gpu.upload(0);
            pinned.segment().set(JAVA_INT, 0, 1);
            gpu.stream.copy(pinned.segment(), memory);
            pinned.segment().set(JAVA_INT, 0, 2); // too early: nobody has waited
            gpu.stream.synchronize();
            assertThat(gpu.ints(memory)).containsExactly(2);
        }
    }

    @Test
    void anEventOrdersTwoStreams() {
        DeviceMemory memory = gpu.upload(0);
        DeviceMemory copy = gpu.allocate(4);
        try (Stream other = Stream.create(gpu.device);
                Event written = Event.create(gpu.device);
                Event end = Event.create(gpu.device)) {
            gpu.stream.fill(memory, (byte) 1);
            written.record(gpu.stream);
            other.await(written);
            other.copy(memory, copy);
            end.record(other);
            while (!end.passed()) {
                Thread.onSpinWait();
            }
            assertThat(written.millisecondsUntil(end)).isNotNegative();
            written.synchronize();
            assertThat(gpu.ints(copy)).containsExactly(0x01010101);
        }
    }

    @Test
    void aGraphDoesTheSameAgain() {
        PlayedGpu.onlyPlayed();
        DeviceMemory a = gpu.upload(1.0f, 2.0f);
        DeviceMemory b = gpu.upload(0.0f, 0.0f);
        Kernel add = gpu.kernels.kernel("probe_add");
        long before = PlayedGpu.get(gpu.device.driver(), "launches");
        try (Graph graph = gpu.stream.record(() -> {
            add.pointer(a).pointer(b).real(1.0f).integer(2).launch(gpu.stream, 1, 1, 1, 32, 0);
            add.pointer(a).pointer(b).real(10.0f).integer(1).launch(gpu.stream, 1, 1, 1, 32, 0, true);
        })) {
            gpu.stream.synchronize();
            assertThat(gpu.floats(b)).containsExactly(0.0f, 0.0f);
            graph.launch(gpu.stream);
            graph.launch(gpu.stream);
            assertThat(gpu.floats(b)).containsExactly(22.0f, 4.0f);
        }
        assertThat(PlayedGpu.get(gpu.device.driver(), "launches") - before).isEqualTo(4);
    }

    @Test
    void whatFailsWhileAGraphIsRecordedEndsTheRecording() {
        assertThatThrownBy(() -> gpu.stream.record(() -> {
                    throw new IllegalStateException("stop");
                }))
                .hasMessage("stop");
        gpu.stream.synchronize();
        assertThatThrownBy(() -> gpu.stream.record(() -> gpu.stream.synchronize()))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
        gpu.stream.synchronize();
    }

    @Test
    void tooMuchMemoryIsAnErrorOfItsOwn() {
        assertThatThrownBy(() -> gpu.allocate(gpu.device.totalBytes() + 1))
                .isInstanceOfSatisfying(
                        CudaException.class, e -> assertThat(e.code()).isEqualTo(2))
                .hasMessageContaining("bytes of GPU memory: CUDA_ERROR_OUT_OF_MEMORY");
        long free = gpu.device.freeBytes();
        DeviceMemory memory = DeviceMemory.allocate(gpu.device, 100_000_000);
        assertThat(gpu.device.freeBytes()).isLessThanOrEqualTo(free - 100_000_000);
        memory.close();
        assertThat(gpu.device.freeBytes()).isEqualTo(free);
    }

    @Test
    void everyThreadMustUseTheDevice() throws InterruptedException {
        Throwable[] seen = new Throwable[2];
        Thread thread = new Thread(() -> {
            try {
                gpu.stream.synchronize();
            } catch (CudaException e) {
                seen[0] = e;
            }
            gpu.device.makeCurrent();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment one = arena.allocate(4);
                gpu.stream.copy(one, gpu.upload(5));
            } catch (CudaException e) {
                seen[1] = e;
            }
        });
        thread.start();
        thread.join();
        assertThat(seen[0]).hasMessageContaining("CUDA_ERROR_INVALID_CONTEXT");
        assertThat(seen[1]).isNull();
    }
}
