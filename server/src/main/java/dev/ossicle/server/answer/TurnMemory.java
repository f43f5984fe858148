package dev.ossicle.server.answer;

import dev.ossicle.harmony.Message;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the model thought and looked up before its calls, by the id of the call. Clients do not send back what tools of the
 * server told the model, most not even what it thought, and without it the model forgets why it called: it is put back from
 * here. Bounded; the oldest are forgotten. Thread-safe.
 */
public final class TurnMemory {
    private static final int MAX_ENTRIES = 4096;
    private static final long MAX_CHARS = 64L << 20;

    private final Map<String, List<Message>> byCall = new LinkedHashMap<>();
    private long chars;

    synchronized void put(String callId, List<Message> before) {
        if (before.isEmpty()) {
            return;
        }
        List<Message> replaced = byCall.put(callId, List.copyOf(before));
        chars += chars(before) - (replaced == null ? 0 : chars(replaced));
        var oldest = byCall.entrySet().iterator();
        while ((byCall.size() > MAX_ENTRIES || chars > MAX_CHARS) && oldest.hasNext()) {
            chars -= chars(oldest.next().getValue());
            oldest.remove();
        }
    }

    private static long chars(List<Message> messages) {
        return messages.stream().mapToLong(message -> message.text().length()).sum();
    }

    /** Empty if nothing is known. */
    synchronized List<Message> of(String callId) {
        return byCall.getOrDefault(callId, List.of());
    }
}
