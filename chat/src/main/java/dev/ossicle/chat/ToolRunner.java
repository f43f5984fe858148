package dev.ossicle.chat;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Runs calls. Whatever goes wrong, the result is a text that the model can read and act upon: nothing is thrown.
 */
final class ToolRunner {
    private static final String PREFIX = ToolNamespace.FUNCTIONS + ".";

    /** What the model is told. */
    record Result(String output, boolean failed) {}

    /** A call that was begun: the function at work, or what was wrong with the call. */
    private record Begun(String name, @Nullable FutureTask<String> task, @Nullable Result refusal) {}

    /** A function's name and the arguments as the model wrote them. */
    record Call(String name, String arguments) {}

    private final Map<String, Tool> tools;
    private final Limits limits;
    private final Set<FutureTask<String>> running = ConcurrentHashMap.newKeySet();
    private volatile boolean cancelled;

    ToolRunner(Map<String, Tool> tools, Limits limits) {
        this.tools = tools;
        this.limits = limits;
    }

    /** A recipient without the namespace of functions, which models leave out at times. */
    static String functionName(String recipient) {
        return recipient.startsWith(PREFIX) ? recipient.substring(PREFIX.length()) : recipient;
    }

    /** Runs calls side by side; their results in the order of the calls. */
    List<Result> run(List<Call> calls) throws InterruptedException {
        List<Begun> begun = calls.stream().map(this::begin).toList();
        long deadline = System.nanoTime() + limits.toolTime().toNanos();
        try {
            List<Result> results = new ArrayList<>();
            for (Begun call : begun) {
                results.add(await(call, deadline));
            }
            return results;
        } finally {
            for (Begun call : begun) {
                if (call.task != null) {
                    call.task.cancel(true); // interrupts what nobody waits for any more
                    running.remove(call.task);
                }
            }
        }
    }

    private Begun begin(Call call) {
        Tool tool = tools.get(call.name);
        if (tool == null) {
            return refuse(
                    call,
                    "there is no function " + call.name
                            + (tools.isEmpty()
                                    ? "; none can be called"
                                    : "; there are: " + String.join(", ", tools.keySet())));
        }
        try {
            Json json = call.arguments.isBlank() ? JsonObject.EMPTY : Json.parse(call.arguments);
            if (!(json instanceof JsonObject arguments)) {
                return refuse(call, "the arguments of " + call.name + " are " + json.kind() + ", expected a JSON object");
            }
            FutureTask<String> task = new FutureTask<>(() -> tool.handler().call(arguments));
            running.add(task);
            if (cancelled) {
                task.cancel(true);
            }
            Thread.ofVirtual().name("ossicle-tool-" + call.name).start(task);
            return new Begun(call.name, task, null);
        } catch (JsonException e) {
            return refuse(call, "the arguments of " + call.name + " are not JSON: " + e.getMessage());
        }
    }

    private static Begun refuse(Call call, String problem) {
        return new Begun(call.name, null, failure(problem));
    }

    private Result await(Begun call, long deadline) throws InterruptedException {
        if (call.refusal != null || call.task == null) {
            return call.refusal == null ? failure("not begun") : call.refusal;
        }
        try {
            String output = call.task.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return new Result(cut(output == null ? "" : output), false);
        } catch (TimeoutException e) {
            return failure(call.name + " did not answer within " + limits.toolTime().toMillis() + " ms");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return failure(call.name + " failed: "
                    + cut(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
        } catch (CancellationException e) {
            return failure("cancelled");
        }
    }

    private static Result failure(String problem) {
        return new Result("error: " + problem, true);
    }

    private String cut(String output) {
        int limit = limits.toolOutput();
        if (output.length() <= limit) {
            return output;
        }
        // Not between the halves of a surrogate pair.
        int end = Character.isHighSurrogate(output.charAt(limit - 1)) ? limit - 1 : limit;
        return output.substring(0, end) + "\n[cut: " + output.length() + " characters, of which these are the first "
                + end + "]";
    }

    /** Interrupts the calls that are running; later ones end at once. Any thread may ask. */
    void cancel() {
        cancelled = true;
        running.forEach(task -> task.cancel(true));
    }
}
