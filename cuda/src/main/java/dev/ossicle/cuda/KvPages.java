package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import java.lang.foreign.MemorySegment;

/**
 * The memory of all keys and values: pages of {@link #POSITIONS} positions, counted by who holds them. A page of a full layer
 * and one of a windowed layer come out of the same pool: slab j has the keys (or values) of the layers 2j and 2j + 1, and a
 * page belongs to all even layers or to all odd ones.
 */
final class KvPages {
    /** Positions of a page. */
    static final int POSITIONS = 64;

    private final Stream stream;
    private final int windowedLayers;
    private final int fullLayers;
    /** Of one page in one slab. */
    private final long slabPageBytes;
    /** [L / 2, rounded up] of [pages][K][POSITIONS][D] fp16. */
    private final DeviceMemory[] keys;

    private final DeviceMemory[] values;

    /** How many hold each page. */
    private final int[] holders;
    /** Pages that nobody holds, the next one last. */
    private final int[] free;

    private int freeCount;

    KvPages(ModelConfig config, int pages, DeviceHeap heap, Stream stream) {
        this.stream = stream;
        this.windowedLayers = (config.layers() + 1) / 2;
        this.fullLayers = config.layers() / 2;
        this.slabPageBytes = slabPageBytes(config);
        this.keys = new DeviceMemory[windowedLayers];
        this.values = new DeviceMemory[windowedLayers];
        for (int slab = 0; slab < windowedLayers; slab++) {
            keys[slab] = heap.allocate(pages * slabPageBytes);
            values[slab] = heap.allocate(pages * slabPageBytes);
        }
        this.holders = new int[pages];
        this.free = new int[pages];
        this.freeCount = pages;
        for (int i = 0; i < pages; i++) {
            free[i] = pages - 1 - i;
        }
    }

    private static long slabPageBytes(ModelConfig config) {
        return (long) config.kvWidth() * POSITIONS * Short.BYTES;
    }

    /** Bytes of one page, keys and values of all slabs together. */
    static long pageBytes(ModelConfig config) {
        return 2L * ((config.layers() + 1) / 2) * slabPageBytes(config);
    }

    /** Pages of so many positions. */
    static int pages(int positions) {
        return (positions + POSITIONS - 1) / POSITIONS;
    }

    DeviceMemory keys(int layer) {
        return keys[layer / 2];
    }

    DeviceMemory values(int layer) {
        return values[layer / 2];
    }

    int count() {
        return holders.length;
    }

    int free() {
        return freeCount;
    }

    /** A page with anything in it. */
    int take() {
        if (freeCount == 0) {
            throw new IllegalStateException("all " + holders.length + " pages are in use"); // callers look first
        }
        int page = free[--freeCount];
        holders[page] = 1;
        return page;
    }

    /** One more holds it. */
    int share(int page) {
        holders[page]++;
        return page;
    }

    boolean isShared(int page) {
        return holders[page] > 1;
    }

    void release(int page) {
        if (--holders[page] == 0) {
            free[freeCount++] = page;
        }
    }

    /** A page with the same content that nobody else holds, in exchange for a shared one. */
    int unshare(int page, boolean windowed) {
        int copy = take();
        for (int slab = 0; slab < (windowed ? windowedLayers : fullLayers); slab++) {
            stream.copy(at(keys[slab], page), at(keys[slab], copy));
            stream.copy(at(values[slab], page), at(values[slab], copy));
        }
        release(page);
        return copy;
    }

    /** Bytes of what a page holds, for the layers that it belongs to. */
    int contentBytes(boolean windowed) {
        return Math.toIntExact(2 * slabPageBytes * (windowed ? windowedLayers : fullLayers));
    }

    /** @param into as many bytes as {@link #contentBytes} says, in native memory */
    void load(int page, boolean windowed, MemorySegment into) {
        for (long at = 0; at < contentBytes(windowed); at += slabPageBytes) {
            stream.copy(part(page, at), into.asSlice(at, slabPageBytes));
        }
        stream.synchronize();
    }

    /** The opposite. */
    void store(int page, boolean windowed, MemorySegment from) {
        for (long at = 0; at < contentBytes(windowed); at += slabPageBytes) {
            stream.copy(from.asSlice(at, slabPageBytes), part(page, at));
        }
        stream.synchronize();
    }

    /** Keys and values of one slab after the other. */
    private DeviceMemory part(int page, long offset) {
        int index = (int) (offset / slabPageBytes);
        return at((index % 2 == 0 ? keys : values)[index / 2], page);
    }

    private DeviceMemory at(DeviceMemory slab, int page) {
        return slab.slice(page * slabPageBytes, slabPageBytes);
    }
}
