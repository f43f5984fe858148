package dev.ossicle.server.answer;

import dev.ossicle.harmony.DeveloperContent;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.server.http.ApiException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Collects a conversation as clients tell it, in whatever order and however incomplete, into Harmony's messages. */
public final class History {
    private final TurnMemory memory;
    private final List<String> instructions = new ArrayList<>();
    private final List<Message> messages = new ArrayList<>();
    /** Name of the function, by the id of the call. */
    private final Map<String, String> calls = new HashMap<>();
    /** Whether the assistant thought since the last message of another, or its last call. */
    private boolean thought;

    private @Nullable String lastCall;

    public History(TurnMemory memory) {
        this.memory = memory;
    }

    /** What the developer, or the "system", says. */
    public void instructions(String text) {
        if (messages.isEmpty()) {
            instructions.add(text);
        } else {
            messages.add(Message.of(Role.DEVELOPER, DeveloperContent.of(text)));
        }
    }

    public void user(String text) {
        messages.add(Message.of(Role.USER, text));
        thought = false;
    }

    /** What the assistant thought before what follows. */
    public void reasoning(String text) {
        if (!text.isEmpty()) {
            messages.add(Message.of(Role.ASSISTANT, text).withChannel(Message.ANALYSIS));
            thought = true;
        }
    }

    /** @param preamble whether a call follows */
    public void assistant(String text, boolean preamble) {
        if (!text.isEmpty()) {
            messages.add(Message.of(Role.ASSISTANT, text).withChannel(preamble ? Message.COMMENTARY : Message.FINAL));
        }
    }

    /** @param id null where the dialect has none */
    public void call(@Nullable String id, String function, String arguments) {
        List<Message> known = id == null ? List.of() : memory.of(id);
        boolean more =
                known.stream().anyMatch(message -> message.role() != Role.ASSISTANT || message.recipient() != null);
        if (more) {
            forgetThoughts(); // they are among what is known
        }
        if (more || !thought) {
            messages.addAll(known);
        }
        messages.add(Message.of(Role.ASSISTANT, arguments)
                .withChannel(Message.COMMENTARY)
                .withRecipient("functions." + function)
                .withContentType("<|constrain|>json"));
        thought = false;
        lastCall = function;
        if (id != null) {
            calls.put(id, function);
        }
    }

    /** Takes back what the assistant thought since the last message of another, or its last call. */
    private void forgetThoughts() {
        for (int i = messages.size() - 1; i >= 0; i--) {
            Message message = messages.get(i);
            if (message.role() != Role.ASSISTANT || message.recipient() != null) {
                break;
            }
            if (Message.ANALYSIS.equals(message.channel())) {
                messages.remove(i);
            }
        }
    }

    /**
     * What a function answered.
     *
     * @param id of the call; null where the dialect has none
     * @param function null if the dialect does not say
     * @param param names the place, should there be no such call
     */
    public void result(@Nullable String id, @Nullable String function, String text, String param) {
        String called = id == null ? null : calls.get(id);
        if (called == null) {
            called = function != null ? function : id == null ? lastCall : null;
        }
        if (called == null) {
            throw ApiException.badRequest(
                    param,
                    id == null ? "a function's result without a call before it" : "no call before it has the id " + id);
        }
        messages.add(Message.toolResult("functions." + called, Message.COMMENTARY, text));
        thought = false;
    }

    /** Ids of the calls in it. */
    public Set<String> calls() {
        return calls.keySet();
    }

    /** Null if there are none. */
    public @Nullable String instructions() {
        return instructions.isEmpty() ? null : String.join("\n\n", instructions);
    }

    public List<Message> messages() {
        return List.copyOf(messages);
    }
}
