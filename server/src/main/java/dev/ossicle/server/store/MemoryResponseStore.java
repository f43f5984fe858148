package dev.ossicle.server.store;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** As long as the process lives, and as long as there is room: what was not used for longest goes first. */
public final class MemoryResponseStore implements ResponseStore {
    private static final int MAX_RESPONSES = 10_000;
    private static final long MAX_CHARS = 64L << 20;

    /** As text: a tree of JSON values takes ten times the memory. */
    private record Entry(
            String response, String input, @Nullable String previous) {
        long chars() {
            return (long) response.length() + input.length();
        }
    }

    private final Map<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private long chars;

    @Override
    public synchronized void put(String id, Stored stored) {
        delete(id);
        Entry entry = new Entry(stored.response().toString(), stored.input().toString(), stored.previous());
        entries.put(id, entry);
        chars += entry.chars();
        var oldest = entries.values().iterator();
        while (entries.size() > 1 && (entries.size() > MAX_RESPONSES || chars > MAX_CHARS)) {
            chars -= oldest.next().chars();
            oldest.remove();
        }
    }

    @Override
    public synchronized @Nullable Stored get(String id) {
        Entry entry = entries.get(id);
        return entry == null
                ? null
                : new Stored(
                        (JsonObject) Json.parse(entry.response), (JsonArray) Json.parse(entry.input), entry.previous);
    }

    @Override
    public synchronized boolean delete(String id) {
        Entry entry = entries.remove(id);
        if (entry != null) {
            chars -= entry.chars();
        }
        return entry != null;
    }

    @Override
    public void close() {}
}
