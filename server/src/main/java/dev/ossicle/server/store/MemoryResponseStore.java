package dev.ossicle.server.store;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** As long as the process lives, and as long as there is room: what was not used for longest goes first. */
public final class MemoryResponseStore implements ResponseStore {
    private static final int MAX_RESPONSES = 10_000;
    private static final long MAX_CHARS = 64L << 20;

    private record Entry(Stored stored, long chars) {}

    private final Map<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private long chars;

    @Override
    public synchronized void put(String id, Stored stored) {
        delete(id);
        long size = (long) stored.response().toString().length()
                + stored.input().toString().length();
        entries.put(id, new Entry(stored, size));
        chars += size;
        var oldest = entries.values().iterator();
        while (entries.size() > 1 && (entries.size() > MAX_RESPONSES || chars > MAX_CHARS)) {
            chars -= oldest.next().chars;
            oldest.remove();
        }
    }

    @Override
    public synchronized @Nullable Stored get(String id) {
        Entry entry = entries.get(id);
        return entry == null ? null : entry.stored;
    }

    @Override
    public synchronized boolean delete(String id) {
        Entry entry = entries.remove(id);
        if (entry != null) {
            chars -= entry.chars;
        }
        return entry != null;
    }

    @Override
    public void close() {}
}
