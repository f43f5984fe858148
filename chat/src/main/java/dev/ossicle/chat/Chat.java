package dev.ossicle.chat;

import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.json.Json;
import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.citation.Citations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conversation: what was said, the functions that may be called, and how to answer. Not thread-safe; one answer at a time.
 *
 * <pre>{@code
 * Chat chat = model.chat().instructions("Answer in one sentence.");
 * String first = chat.ask("What is a monad?").text();
 * for (ChatEvent event : chat.ask("And in Java?")) {
 *     if (event instanceof ChatEvent.Text text) {
 *         System.out.print(text.text());
 *     }
 * }
 * City city = chat.ask("The largest city of Japan?", City.class);
 * }</pre>
 */
public final class Chat {
    private final ChatModel model;
    private final List<Message> history;
    private final Map<String, Tool> tools;
    private final List<ToolSession> sessions = new ArrayList<>();
    private @Nullable String instructions;
    private ChatOptions options = ChatOptions.DEFAULT;
    private Limits limits = Limits.DEFAULT;
    private @Nullable Answer current;

    Chat(ChatModel model) {
        this(model, List.of(), Map.of());
    }

    private Chat(ChatModel model, List<Message> history, Map<String, Tool> tools) {
        this.model = model;
        this.history = new ArrayList<>(history);
        this.tools = new LinkedHashMap<>(tools);
    }

    /** What other APIs call the system prompt. */
    public Chat instructions(@Nullable String newInstructions) {
        instructions = newInstructions;
        return this;
    }

    public Chat options(ChatOptions newOptions) {
        options = newOptions;
        return this;
    }

    public Chat limits(Limits newLimits) {
        limits = newLimits;
        return this;
    }

    /** More functions that the model may call; one of the same name is replaced. */
    public Chat tools(Tool... more) {
        return tools(Arrays.asList(more));
    }

    public Chat tools(List<Tool> more) {
        more.forEach(tool -> tools.put(tool.name(), tool));
        return this;
    }

    /** Tools that keep a state, this conversation's own: a Python interpreter, a browser. Whoever opened them closes them. */
    public Chat sessions(ToolSession... more) {
        sessions.addAll(Arrays.asList(more));
        return this;
    }

    public ChatOptions options() {
        return options;
    }

    /** All that was said, reasoning and calls included. */
    public List<Message> history() {
        return List.copyOf(history);
    }

    /** Goes on from another past, as {@link #history()} told it. */
    public Chat history(List<Message> past) {
        if (current != null && !current.isDone()) {
            throw new IllegalStateException("the last answer is still coming: cancel it first");
        }
        history.clear();
        history.addAll(past);
        return this;
    }

    /** Says something and lets the model answer. Work starts at once. */
    public Answer ask(String text) {
        return ask(text, (Json) null);
    }

    /** The same, with an answer that obeys a JSON Schema. */
    public Answer ask(String text, @Nullable Json answerSchema) {
        if (current != null && !current.isDone()) {
            throw new IllegalStateException("the last answer is still coming: read it to its end, or cancel it");
        }
        history.add(Message.of(Role.USER, text));
        ChatRequest request = new ChatRequest(
                instructions,
                tools.values().stream().map(Tool::description).toList(),
                List.of(),
                ToolChoice.AUTO,
                history,
                options,
                answerSchema,
                limits.tokens(),
                null);
        Answer answer;
        try {
            answer = new Answer(
                    model.begin(request.withSessions(sessions)),
                    history,
                    ToolRunner.callees(List.copyOf(tools.values()), List.copyOf(sessions)),
                    Citations.of(sessions),
                    limits);
        } catch (RuntimeException e) {
            history.removeLast();
            throw e;
        }
        current = answer;
        return answer;
    }

    /**
     * The same, with an answer that is an instance of a record (or any type that Jackson can read).
     *
     * @throws ChatException if the answer was cut before it was complete
     */
    public <T> T ask(String text, Class<T> type) {
        Answer answer = ask(text, JavaTypes.schema(type));
        String json = answer.text();
        if (answer.done().finish() != ChatEvent.Finish.STOP) {
            throw new ChatException("the answer ended early (" + answer.done().finish() + "): " + json);
        }
        return type.cast(JavaTypes.instance(json, type));
    }

    /** Another conversation that has the same past. */
    public Chat fork() {
        Chat fork = new Chat(model, history, tools);
        return fork.instructions(instructions).options(options).limits(limits);
    }

    /** Takes the last question and all that followed it back; returns its text, or null if there was none. */
    public @Nullable String rewind() {
        if (current != null && !current.isDone()) {
            throw new IllegalStateException("the last answer is still coming: cancel it first");
        }
        for (int i = history.size() - 1; i >= 0; i--) {
            if (history.get(i).role() == Role.USER) {
                String text = history.get(i).text();
                history.subList(i, history.size()).clear();
                return text;
            }
        }
        return null;
    }
}
