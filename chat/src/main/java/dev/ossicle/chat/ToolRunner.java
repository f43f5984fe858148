package dev.ossicle.chat;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import java.util.Map;
import java.util.concurrent.CancellationException;
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

    private final Map<String, Tool> tools;
    private final Limits limits;
    private volatile @Nullable FutureTask<String> running;
    private volatile boolean cancelled;

    ToolRunner(Map<String, Tool> tools, Limits limits) {
        this.tools = tools;
        this.limits = limits;
    }

    /** A recipient without the namespace of functions, which models leave out at times. */
    static String functionName(String recipient) {
        return recipient.startsWith(PREFIX) ? recipient.substring(PREFIX.length()) : recipient;
    }

    Result run(String name, String arguments) throws InterruptedException {
        Tool tool = tools.get(name);
        if (tool == null) {
            return failure("there is no function " + name
                    + (tools.isEmpty() ? "; none can be called" : "; there are: " + String.join(", ", tools.keySet())));
        }
        JsonObject parsed;
        try {
            Json json = arguments.isBlank() ? JsonObject.EMPTY : Json.parse(arguments);
            if (!(json instanceof JsonObject object)) {
                return failure("the arguments of " + name + " are " + json.kind() + ", expected a JSON object");
            }
            parsed = object;
        } catch (JsonException e) {
            return failure("the arguments of " + name + " are not JSON: " + e.getMessage());
        }
        return call(tool, parsed);
    }

    private Result call(Tool tool, JsonObject arguments) throws InterruptedException {
        FutureTask<String> task = new FutureTask<>(() -> tool.handler().call(arguments));
        running = task;
        if (cancelled) {
            return failure("cancelled");
        }
        Thread.ofVirtual().name("ossicle-tool-" + tool.name()).start(task);
        try {
            String output = task.get(limits.toolTime().toNanos(), TimeUnit.NANOSECONDS);
            return new Result(cut(output == null ? "" : output), false);
        } catch (TimeoutException e) {
            return failure(
                    tool.name() + " did not answer within " + limits.toolTime().toSeconds() + " seconds");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return failure(tool.name() + " failed: "
                    + cut(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
        } catch (CancellationException e) {
            return failure("cancelled");
        } finally {
            task.cancel(true); // interrupts what nobody waits for any more
            running = null;
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

    /** Interrupts the call that is running; later ones do not start. Any thread may ask. */
    void cancel() {
        cancelled = true;
        FutureTask<String> task = running;
        if (task != null) {
            task.cancel(true);
        }
    }
}
