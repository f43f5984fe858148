package dev.ossicle.evals;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.Chat;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.Limits;
import dev.ossicle.chat.Tool;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a question.
 *
 * @param answer to its last turn
 * @param calls of the last turn, each {@code name body}
 * @param reasoningTokens of the last turn
 */
record Outcome(Question question, String answer, List<String> calls, int reasoningTokens) {
    /** A model that does not come to an end has failed. */
    private static final int MAX_TOKENS = 500;

    /** More than one round of calls is never right. */
    private static final int MAX_ROUNDS = 3;

    private static final String NO_RESULT = "no result";

    /** Says turn after turn, greedily; a call is told the right result whatever its arguments are. */
    static Outcome of(ChatModel model, Question question) {
        CannedPython python = new CannedPython();
        String[] result = {NO_RESULT};
        Chat chat = model.chat()
                .instructions(question.instructions())
                .options(ChatOptions.DEFAULT
                        .withEffort(question.effort())
                        .withTemperature(0)
                        .withDate(question.date()))
                .limits(Limits.DEFAULT.withTokens(MAX_TOKENS).withRounds(MAX_ROUNDS));
        for (ToolDescription function : question.functions()) {
            chat.tools(new Tool(function, arguments -> result[0]));
        }
        if (question.python()) {
            chat.sessions(python);
        }
        Outcome outcome = null;
        for (Question.Turn turn : question.turns()) {
            result[0] = turn.call() == null ? NO_RESULT : turn.call().result();
            python.result = result[0];
            try (Answer answer = chat.ask(turn.user())) {
                outcome = read(question, answer);
            }
        }
        if (outcome == null) {
            throw new IllegalArgumentException("a question without turns: " + question);
        }
        return outcome;
    }

    private static Outcome read(Question question, Answer answer) {
        StringBuilder text = new StringBuilder();
        List<String> calls = new ArrayList<>();
        int reasoning = 0;
        for (ChatEvent event : answer) {
            switch (event) {
                case ChatEvent.Text part -> text.append(part.text());
                case ChatEvent.ToolCall call -> calls.add(call(call.name(), call.arguments()));
                case ChatEvent.Done done -> reasoning = done.usage().reasoningTokens();
                case ChatEvent.Reading ignored -> {}
                case ChatEvent.Reasoning ignored -> {}
                case ChatEvent.Calling ignored -> {}
                case ChatEvent.ToolResult ignored -> {}
            }
        }
        return new Outcome(question, text.toString(), calls, reasoning);
    }

    /** Whether the calls and the answer are exactly the right ones; white space in JSON does not count. */
    boolean isRight() {
        return answer.equals(expected().answer()) && calls.equals(expectedCalls());
    }

    Question.Turn expected() {
        return question.turns().getLast();
    }

    List<String> expectedCalls() {
        Question.@Nullable Call call = expected().call();
        return call == null ? List.of() : List.of(call(call.name(), call.body()));
    }

    private static String call(String name, String body) {
        try {
            return name + " " + Json.parse(body);
        } catch (JsonException e) {
            return name + " " + body; // code, or not well-formed
        }
    }
}
