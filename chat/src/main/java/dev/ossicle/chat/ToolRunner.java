package dev.ossicle.chat;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs calls. Whatever goes wrong, the result is a text that the model can read and act upon: nothing is thrown.
 */
public final class ToolRunner {
    private static final String PREFIX = ToolNamespace.FUNCTIONS + ".";

    /** What a call reaches. */
    public interface Callee {
        /**
         * @param body as the model wrote it
         * @throws Exception whose message the model is told
         */
        ToolOutput call(String body) throws Exception;
    }

    /** A call that was begun, or what was wrong with it. */
    private record Begun(
            String name,
            @Nullable FutureTask<ToolOutput> task,
            @Nullable ToolOutput refusal) {}

    /** The recipient and the body of a call as the model wrote them. */
    public record Call(String recipient, String body) {
        public String name() {
            return functionName(recipient);
        }
    }

    /** By recipient. */
    private final Map<String, Callee> callees;

    private final Limits limits;
    private final Set<FutureTask<ToolOutput>> running = ConcurrentHashMap.newKeySet();
    private volatile boolean cancelled;

    public ToolRunner(Map<String, Callee> callees, Limits limits) {
        this.callees = callees;
        this.limits = limits;
    }

    /** A recipient without the namespace of functions, which models leave out at times. */
    static String functionName(String recipient) {
        return recipient.startsWith(PREFIX) ? recipient.substring(PREFIX.length()) : recipient;
    }

    /** Runs calls side by side; their results in the order of the calls. */
    public List<ToolOutput> run(List<Call> calls) throws InterruptedException {
        List<Begun> begun = calls.stream().map(this::begin).toList();
        long deadline = System.nanoTime() + limits.toolTime().toNanos();
        try {
            List<ToolOutput> results = new ArrayList<>();
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

    /** What functions and tools are called by. */
    public static Map<String, Callee> callees(Collection<Tool> functions, List<ToolSession> sessions) {
        Map<String, Callee> callees = new LinkedHashMap<>();
        for (ToolSession session : sessions) {
            ToolNamespace namespace = session.namespace();
            if (namespace.tools().isEmpty()) {
                callees.put(namespace.name(), body -> session.call("", body));
            }
            for (ToolDescription function : namespace.tools()) {
                callees.put(namespace.name() + "." + function.name(), body -> session.call(function.name(), body));
            }
        }
        for (Tool function : functions) {
            callees.put(PREFIX + function.name(), body -> call(function, body));
        }
        return callees;
    }

    private static ToolOutput call(Tool function, String body) throws Exception {
        Json json;
        try {
            json = body.isBlank() ? JsonObject.EMPTY : Json.parse(body);
        } catch (JsonException e) {
            return failure("the arguments of " + function.name() + " are not JSON: " + e.getMessage());
        }
        if (!(json instanceof JsonObject arguments)) {
            return failure("the arguments of " + function.name() + " are " + json.kind() + ", expected a JSON object");
        }
        String output = function.handler().call(arguments);
        return ToolOutput.of(output == null ? "" : output);
    }

    private Begun begin(Call call) {
        Callee exact = callees.get(call.recipient);
        Callee callee = exact == null ? callees.get(PREFIX + call.name()) : exact;
        if (callee == null) {
            return refuse(
                    call,
                    "there is no function " + call.name()
                            + (callees.isEmpty()
                                    ? "; none can be called"
                                    : "; there are: "
                                            + callees.keySet().stream()
                                                    .map(ToolRunner::functionName)
                                                    .collect(Collectors.joining(", "))));
        }
        FutureTask<ToolOutput> task = new FutureTask<>(() -> callee.call(call.body));
        running.add(task);
        if (cancelled) {
            task.cancel(true);
        }
        Thread.ofVirtual().name("ossicle-tool-" + call.name()).start(task);
        return new Begun(call.name(), task, null);
    }

    private static Begun refuse(Call call, String problem) {
        return new Begun(call.name(), null, failure(problem));
    }

    private ToolOutput await(Begun call, long deadline) throws InterruptedException {
        if (call.refusal != null || call.task == null) {
            return call.refusal == null ? failure("not begun") : call.refusal;
        }
        try {
            ToolOutput result = call.task.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return result.withText(cut(result.text()));
        } catch (TimeoutException e) {
            return failure(
                    call.name + " did not answer within " + limits.toolTime().toMillis() + " ms");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return failure(call.name + " failed: "
                    + cut(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
        } catch (CancellationException e) {
            return failure("cancelled");
        }
    }

    private static ToolOutput failure(String problem) {
        return ToolOutput.failure("error: " + problem);
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
    public void cancel() {
        cancelled = true;
        running.forEach(task -> task.cancel(true));
    }
}
