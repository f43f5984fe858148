package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TestSystemMemory {
    private static final int MEGABYTE = 1 << 20;

    @ParameterizedTest
    @ValueSource(longs = {1, 4095, 4096, MEGABYTE, 2 * MEGABYTE, 5 * MEGABYTE + 64})
    void memoryIsZeroedAndAligned(long bytes) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = SystemMemory.allocate(arena, bytes);
            assertThat(memory.byteSize()).isEqualTo(bytes);
            assertThat(memory.address() % 64).isZero();
            assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isZero();
            assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes - 1)).isZero();
            memory.fill((byte) 1);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void largeMemoryBeginsAtAHugePage() {
        try (Arena arena = Arena.ofShared()) {
            for (int i = 0; i < 5; i++) { // sizes that leave the next free address anywhere
                MemorySegment memory = SystemMemory.allocate(arena, 2 * MEGABYTE + i * 12288);
                assertThat(memory.address() % (2 * MEGABYTE)).isZero();
            }
        }
    }

    @Test
    void totalMemoryIsWhatTheJvmSays() {
        assertThat(SystemMemory.total()).isBetween(1L << 28, 1L << 50);
    }

    /** Whether the page cache can keep them or not. */
    @ParameterizedTest
    @ValueSource(longs = {1, 1L << 60})
    void pagesThatWereLetGoOfComeBack(long weights, @TempDir Path folder) throws IOException {
        byte[] content = new byte[3 * MEGABYTE + 5];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31 >> 3);
        }
        Path file = Files.write(folder.resolve("weights"), content);
        try (Arena arena = Arena.ofShared();
                FileChannel channel = FileChannel.open(file)) {
            MemorySegment mapped = channel.map(MapMode.READ_ONLY, 0, content.length, arena);
            StripMemory memory = StripMemory.anonymous(arena, weights);
            memory.release(mapped.asSlice(100, content.length - 200));
            memory.release(mapped.asSlice(7, 10));
            assertThat(mapped.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
        }
    }
}
