package dev.ossicle.server.answer;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatException;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.engine.ContextLengthException;
import dev.ossicle.engine.QueueFullException;
import dev.ossicle.grammar.GrammarException;
import dev.ossicle.server.http.ApiException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** The answers to one request, side by side. */
public final class Runs implements AutoCloseable {
    /** What a client is told to wait when there is no room: about an answer's time. */
    private static final int RETRY_SECONDS = 2;

    private final List<AnswerRun> runs = new ArrayList<>();

    public void add(AnswerRun run) {
        runs.add(run);
    }

    /**
     * Reads all to their ends, each on a thread of its own if there are several.
     *
     * @param listeners for the pieces of the n-th answer
     */
    public List<Outcome> read(IntFunction<AnswerRun.Listener> listeners) throws IOException, InterruptedException {
        if (runs.size() == 1) {
            return List.of(runs.getFirst().read(listeners.apply(0)));
        }
        List<Outcome> outcomes = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Outcome>> futures = new ArrayList<>();
            for (int i = 0; i < runs.size(); i++) {
                int index = i;
                futures.add(threads.submit(() -> runs.get(index).read(listeners.apply(index))));
            }
            try {
                for (Future<Outcome> future : futures) {
                    outcomes.add(future.get());
                }
            } catch (ExecutionException e) {
                cancel();
                switch (e.getCause()) {
                    case IOException gone -> throw gone;
                    case RuntimeException failure -> throw failure;
                    case null, default -> throw new IllegalStateException(e.getCause());
                }
            } catch (InterruptedException e) {
                cancel();
                throw e;
            }
        }
        return outcomes;
    }

    /** The same for a client that waits for all of it. */
    public List<Outcome> readWhole() throws IOException, InterruptedException {
        List<Outcome> outcomes = read(index -> piece -> {});
        for (Outcome outcome : outcomes) {
            if (outcome.end() == Outcome.End.SHUTDOWN) {
                throw shutdown();
            }
        }
        return outcomes;
    }

    /** What is told of an answer that the end of the server cut. */
    public static ApiException shutdown() {
        return ApiException.unavailable(
                RETRY_SECONDS, "shutting_down", "the server is shutting down; this answer is not complete");
    }

    /** Nobody waits for them. */
    public void cancel() {
        runs.forEach(AnswerRun::cancel);
    }

    @Override
    public void close() {
        runs.forEach(AnswerRun::close);
    }

    public static Usage usage(List<Outcome> outcomes) {
        // The prompt is one, however many answers it has.
        Usage first = outcomes.getFirst().usage();
        int completion = 0;
        int reasoning = 0;
        for (Outcome outcome : outcomes) {
            completion += outcome.usage().completionTokens();
            reasoning += outcome.usage().reasoningTokens();
        }
        return new Usage(
                first.promptTokens(),
                first.cachedTokens(),
                completion,
                reasoning,
                first.promptSeconds(),
                first.completionSeconds());
    }

    /** For the log: no text of prompt or answer. */
    public static Map<String, Object> note(String model, List<Outcome> outcomes) {
        Usage usage = usage(outcomes);
        Map<String, Object> note = new LinkedHashMap<>();
        note.put("model", model);
        note.put("prompt_tokens", usage.promptTokens());
        note.put("cached_tokens", usage.cachedTokens());
        note.put("completion_tokens", usage.completionTokens());
        note.put("end", outcomes.getFirst().end().name().toLowerCase(Locale.ROOT));
        return note;
    }

    public static ChatRequest withSeed(ChatRequest request, long seed) {
        return new ChatRequest(
                request.instructions(),
                request.functions(),
                request.builtIns(),
                request.toolChoice(),
                request.history(),
                request.options().withSeed(seed),
                request.answerSchema(),
                request.maxTokens(),
                request.timeout());
    }

    /** Any failure in the terms that are told to clients. */
    public static ApiException error(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        return switch (failure) {
            case ApiException e -> e;
            case QueueFullException ignored -> ApiException.tooBusy(RETRY_SECONDS, message);
            case ContextLengthException ignored ->
                ApiException.badRequest("messages", "context_length_exceeded", message);
            case GrammarException ignored ->
                ApiException.badRequest("response_format", "invalid_schema", "the schema cannot be obeyed: " + message);
            case ChatException e when e.getCause() == null -> ApiException.badRequest(null, message);
            case ChatException ignored -> ApiException.serverError("the model failed: " + message);
            default -> ApiException.serverError("the server failed: " + failure);
        };
    }
}
