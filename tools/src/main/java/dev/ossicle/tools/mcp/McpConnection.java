package dev.ossicle.tools.mcp;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolOutput;
import io.modelcontextprotocol.client.McpAsyncClient;
import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.schema.JsonSchemaValidator;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** A server that is connected. Any number of threads may call. */
final class McpConnection implements AutoCloseable {
    /** The SDK logs what is told here as errors anyway; held, since loggers that nobody holds forget their level. */
    private static final Logger SDK = Logger.getLogger("io.modelcontextprotocol");

    /** The SDK's own time is never the first to be up. */
    private static final int SLACK = 2;

    private static final int FLOOD = 4;

    static {
        SDK.setLevel(Level.OFF);
    }

    private final String name;
    private final McpLimits limits;
    private final McpJsonMapper mapper = McpJsonDefaults.getMapper();
    private final Wire wire;
    private final Bridge bridge;
    private final McpAsyncClient client;
    private @Nullable List<McpTool> tools;

    /**
     * Connects.
     *
     * @param name for messages
     * @throws McpException if the server cannot be reached or does not speak the protocol; nothing is left of it then
     */
    McpConnection(String name, McpAddress address, McpLimits limits) throws McpException, InterruptedException {
        this.name = name;
        this.limits = limits;
        wire = switch (address) {
            case McpAddress.Command command -> new StdioWire(command, limits);
            case McpAddress.Url url -> new HttpWire(url, limits);
        };
        bridge = new Bridge(wire, mapper, (long) FLOOD * limits.message());
        Duration longest = limits.call().compareTo(limits.connect()) > 0 ? limits.call() : limits.connect();
        client = McpClient.async(bridge)
                .clientInfo(McpSchema.Implementation.builder("ossicle", "1").build())
                .requestTimeout(longest.multipliedBy(SLACK))
                .initializationTimeout(limits.connect().multipliedBy(SLACK))
                .jsonSchemaValidator((schema, value) -> JsonSchemaValidator.ValidationResponse.asValid(""))
                .build();
        boolean connected = false;
        try {
            wire.open(bridge);
            await(client.initialize(), limits.connect(), "become ready");
            connected = true;
        } catch (IOException e) {
            throw failure(String.valueOf(e.getMessage()));
        } finally {
            if (!connected) {
                wire.close();
            }
        }
    }

    boolean isOpen() {
        return !bridge.ended().isDone();
    }

    /** What the server says on how to use it; empty if nothing. */
    String instructions() {
        String text = client.getServerInstructions();
        return text == null ? "" : text;
    }

    /** What the server offers now. */
    synchronized List<McpTool> tools() throws McpException, InterruptedException {
        List<McpTool> known = tools;
        if (known == null || bridge.takeToolsChanged()) {
            known = list();
            tools = known;
        }
        return known;
    }

    private List<McpTool> list() throws McpException, InterruptedException {
        List<McpTool> all = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<String> cursors = new HashSet<>();
        String cursor = null;
        do {
            McpSchema.ListToolsResult page = await(client.listTools(cursor), limits.list(), "list its tools");
            for (McpSchema.Tool tool : page.tools()) {
                if (tool.name() == null || tool.name().isEmpty()) {
                    throw failure("lists a tool without a name");
                }
                if (!names.add(tool.name())) {
                    throw failure("lists the tool " + tool.name() + " twice");
                }
                all.add(tool(tool));
            }
            if (all.size() > limits.tools()) {
                throw failure("lists more than " + limits.tools() + " tools");
            }
            cursor = page.nextCursor();
        } while (cursor != null && !cursor.isEmpty() && cursors.add(cursor) && cursors.size() <= limits.tools());
        return List.copyOf(all);
    }

    private McpTool tool(McpSchema.Tool tool) throws McpException {
        McpSchema.ToolAnnotations hints = tool.annotations();
        JsonObject schema = tool.inputSchema() == null ? JsonObject.EMPTY : json(tool.inputSchema());
        return new McpTool(
                tool.name(),
                tool.description() == null ? "" : tool.description(),
                schema,
                hints == null ? null : json(hints),
                hints != null && Boolean.TRUE.equals(hints.readOnlyHint()));
    }

    private JsonObject json(Object value) throws McpException {
        try {
            if (Json.parse(mapper.writeValueAsString(value)) instanceof JsonObject object) {
                return object;
            }
        } catch (IOException | JsonException e) {
            // told below
        }
        throw failure("describes a tool with something that is no JSON object");
    }

    /** What came of a call; errors are outputs that say so. */
    ToolOutput call(String tool, JsonObject arguments) throws InterruptedException {
        try {
            Map<String, Object> values = new LinkedHashMap<>();
            for (Map.Entry<String, Json> each : arguments.members().entrySet()) {
                values.put(each.getKey(), mapper.readValue(each.getValue().toString(), Object.class));
            }
            McpSchema.CallToolRequest request =
                    McpSchema.CallToolRequest.builder(tool).arguments(values).build();
            return Results.of(await(client.callTool(request), limits.call(), "answer the call of " + tool), mapper);
        } catch (McpException | IOException e) {
            return ToolOutput.failure("error: " + e.getMessage());
        }
    }

    private <T> T await(Mono<T> reply, Duration time, String what) throws McpException, InterruptedException {
        Exchange exchange = new Exchange();
        CompletableFuture<T> future = reply.contextWrite(context -> context.put(Bridge.EXCHANGE, exchange))
                .toFuture();
        String why = "nobody waits any more";
        try {
            CompletableFuture.anyOf(future, bridge.ended()).get(time.toNanos(), TimeUnit.NANOSECONDS);
            if (!future.isDone()) {
                throw failure(bridge.ended().join());
            }
            T result = future.get();
            if (result == null) {
                throw failure("did not " + what + ": it sent nothing");
            }
            return result;
        } catch (TimeoutException e) {
            why = "timeout";
            int strays = bridge.strays();
            throw failure("did not " + what + " within " + time.toMillis() / 1000.0 + " seconds"
                    + (strays == 0 ? "" : " (it sent answers to requests that were not made: " + strays + ")"));
        } catch (ExecutionException e) {
            throw failure(what, e.getCause() == null ? e : e.getCause());
        } finally {
            if (!future.isDone()) {
                bridge.cancel(exchange, why);
                future.cancel(true);
            }
        }
    }

    private McpException failure(String what, Throwable thrown) {
        Throwable cause = thrown;
        while (!(cause instanceof McpError) && !(cause instanceof Bridge.Refusal) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Bridge.Refusal refusal) {
            return failure(String.valueOf(refusal.getMessage()));
        }
        String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        if (!(cause instanceof McpError error)) {
            return failure("did not " + what + " as the protocol has it: " + message);
        }
        Object data =
                error.getJsonRpcError() == null ? null : error.getJsonRpcError().data();
        return failure("refused to " + what + ": " + message + (data instanceof String more ? " (" + more + ")" : ""));
    }

    private McpException failure(String problem) {
        String words = wire.lastWords();
        return new McpException("MCP server " + name + " " + problem
                + (words.isEmpty() ? "" : "; it wrote to standard error:\n" + words));
    }

    @Override
    public void close() {
        bridge.ended("is closed");
        wire.close();
    }
}
