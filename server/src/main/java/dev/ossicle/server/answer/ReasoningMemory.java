package dev.ossicle.server.answer;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the model thought before its calls, by the id of the call. Most clients do not send it back with the result, and without
 * it the model forgets why it called: it is put back from here. Bounded; the oldest are forgotten. Thread-safe.
 */
public final class ReasoningMemory {
    private static final int MAX_ENTRIES = 4096;
    private static final long MAX_CHARS = 16L << 20;

    private final Map<String, String> byCall = new LinkedHashMap<>();
    private long chars;

    synchronized void put(String callId, String reasoning) {
        if (reasoning.isEmpty()) {
            return;
        }
        String before = byCall.put(callId, reasoning);
        chars += reasoning.length() - (before == null ? 0 : before.length());
        var oldest = byCall.entrySet().iterator();
        while ((byCall.size() > MAX_ENTRIES || chars > MAX_CHARS) && oldest.hasNext()) {
            chars -= oldest.next().getValue().length();
            oldest.remove();
        }
    }

    synchronized @Nullable String of(String callId) {
        return byCall.get(callId);
    }
}
