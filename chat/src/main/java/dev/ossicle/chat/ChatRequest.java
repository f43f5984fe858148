package dev.ossicle.chat;

import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.tools.ToolSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a model is to answer.
 *
 * @param instructions what other APIs call the system prompt; null for none
 * @param functions that the model may call
 * @param builtIns namespaces of the system message: those that the model was trained with
 * @param toolChoice which of them, and whether it must
 * @param history of the user's, the assistant's and the tools' messages, the newest last
 * @param answerSchema JSON Schema that the answer must obey; null for free text
 * @param maxTokens that this turn may take, reasoning included
 * @param timeout of each step, waiting for its turn included; null for none
 */
public record ChatRequest(
        @Nullable String instructions,
        List<ToolDescription> functions,
        List<ToolNamespace> builtIns,
        ToolChoice toolChoice,
        List<Message> history,
        ChatOptions options,
        @Nullable Json answerSchema,
        int maxTokens,
        @Nullable Duration timeout) {
    public ChatRequest {
        functions = List.copyOf(functions);
        builtIns = List.copyOf(builtIns);
        history = List.copyOf(history);
    }

    ChatRequest withToolChoice(ToolChoice choice) {
        return new ChatRequest(
                instructions, functions, builtIns, choice, history, options, answerSchema, maxTokens, timeout);
    }

    /**
     * The same with what tools bring along: functions, namespaces, and words on how to use them.
     *
     * @throws IllegalArgumentException if two functions have one name
     */
    public ChatRequest withSessions(List<ToolSession> sessions) {
        List<ToolDescription> allFunctions = new ArrayList<>(functions);
        List<ToolNamespace> namespaces = new ArrayList<>(builtIns);
        StringBuilder said = new StringBuilder(instructions == null ? "" : instructions);
        for (ToolSession session : sessions) {
            if (session.namespace().name().equals(ToolNamespace.FUNCTIONS)) {
                allFunctions.addAll(session.namespace().tools());
            } else {
                namespaces.add(session.namespace());
            }
            if (session.instructions() != null) {
                said.append(said.isEmpty() ? "" : "\n\n").append(session.instructions());
            }
        }
        Set<String> names = new HashSet<>();
        for (ToolDescription function : allFunctions) {
            if (!names.add(function.name())) {
                throw new IllegalArgumentException("there are two functions called " + function.name());
            }
        }
        return new ChatRequest(
                said.isEmpty() ? instructions : said.toString(),
                allFunctions,
                namespaces,
                toolChoice,
                history,
                options,
                answerSchema,
                maxTokens,
                timeout);
    }

    /**
     * The history as a model is to see it: what it thought before the user last spoke is left out, as it was when gpt-oss was
     * trained (Harmony guide, "Handling reasoning output in subsequent sampling").
     */
    List<Message> shownHistory() {
        int lastUser = history.size() - 1;
        while (lastUser > 0 && history.get(lastUser).role() != Role.USER) {
            lastUser--;
        }
        List<Message> shown = new ArrayList<>();
        for (int i = 0; i < history.size(); i++) {
            if (i >= lastUser || !Message.ANALYSIS.equals(history.get(i).channel())) {
                shown.add(history.get(i));
            }
        }
        return shown;
    }
}
