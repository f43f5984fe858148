package dev.ossicle.tools.mcp;

import io.modelcontextprotocol.client.McpAsyncClient;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.TypeRef;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCMessage;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCNotification;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCRequest;
import io.modelcontextprotocol.spec.McpSchema.JSONRPCResponse;
import io.modelcontextprotocol.spec.ProtocolVersions;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Between the SDK's client and a wire: the one place that knows both. It lets through what was asked for, and counts the rest:
 * the SDK would read lists without end if a server only says often enough that its list has changed.
 */
final class Bridge implements McpClientTransport, Wire.Listener {
    /** Where the SDK's context has the {@link Exchange} that a message belongs to. */
    static final String EXCHANGE = "dev.ossicle.exchange";

    private static final int EXCERPT = 120;

    /** Sends block, for as long as an answer takes. */
    private static final Executor THREADS =
            task -> Thread.ofVirtual().name("ossicle-mcp-send").start(task);

    private final Wire wire;
    private final McpJsonMapper mapper;
    private final long patience;
    private final Map<Object, Exchange> asked = new ConcurrentHashMap<>();
    private final CompletableFuture<String> ended = new CompletableFuture<>();
    private volatile @Nullable Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> handler;
    private volatile @Nullable String version;
    private volatile boolean toolsChanged;
    private volatile int strays;
    private long unasked;

    /** @param patience chars that may come unasked between one answer and the next */
    Bridge(Wire wire, McpJsonMapper mapper, long patience) {
        this.wire = wire;
        this.mapper = mapper;
        this.patience = patience;
    }

    /** Completed with the reason when nothing will come any more. */
    CompletableFuture<String> ended() {
        return ended;
    }

    /** Answers to what nobody asked, or does not wait for any more. */
    int strays() {
        return strays;
    }

    /** Whether the server said that its list is another one since this was last asked. */
    boolean takeToolsChanged() {
        boolean changed = toolsChanged;
        toolsChanged = false;
        return changed;
    }

    @Override
    public List<String> protocolVersions() {
        return List.of( // the last is the one that is offered
                ProtocolVersions.MCP_2024_11_05,
                ProtocolVersions.MCP_2025_03_26,
                ProtocolVersions.MCP_2025_06_18,
                ProtocolVersions.MCP_2025_11_25);
    }

    @Override
    public Mono<Void> connect(Function<Mono<JSONRPCMessage>, Mono<JSONRPCMessage>> newHandler) {
        return Mono.fromRunnable(() -> handler = newHandler);
    }

    @Override
    public Mono<Void> sendMessage(JSONRPCMessage message) {
        return Mono.deferContextual(
                context -> Mono.fromFuture(CompletableFuture.runAsync(() -> send(message, context), THREADS)));
    }

    private void send(JSONRPCMessage message, ContextView context) {
        Exchange exchange = context.<Exchange>getOrEmpty(EXCHANGE).orElseGet(Exchange::new);
        context.<String>getOrEmpty(McpAsyncClient.NEGOTIATED_PROTOCOL_VERSION).ifPresent(agreed -> version = agreed);
        try {
            String json = mapper.writeValueAsString(message);
            if (!(message instanceof JSONRPCRequest request)) {
                wire.send(json, version, new Exchange());
                return;
            }
            exchange.sentAs(request.id());
            asked.put(request.id(), exchange);
            if (exchange.isGivenUp()) {
                return;
            }
            boolean later = wire.send(json, version, exchange);
            if (!later && asked.remove(request.id()) != null) {
                throw new IOException("ended its answer before it was complete");
            }
        } catch (IOException e) {
            throw new Refusal(String.valueOf(e.getMessage()));
        }
    }

    /** A message that did not get through, on its way through the SDK. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refusal(String message) {
            super(message);
        }
    }

    /** Tells the server that nobody waits for an answer any more. */
    void cancel(Exchange exchange, String why) {
        exchange.giveUp();
        Object id = exchange.id();
        if (id != null && asked.remove(id) != null) {
            JSONRPCNotification cancelled =
                    new JSONRPCNotification("notifications/cancelled", Map.of("requestId", id, "reason", why));
            sendMessage(cancelled).subscribe(sent -> {}, failure -> {});
        }
    }

    @Override
    public void message(String json) throws IOException {
        JSONRPCMessage message;
        try {
            message = McpSchema.deserializeJsonRpcMessage(mapper, json);
        } catch (IOException | RuntimeException e) {
            throw new IOException("sent something that is no message of the protocol: \""
                    + json.substring(0, Math.min(EXCERPT, json.length())).strip() + "\"");
        }
        switch (message) {
            case JSONRPCResponse response -> {
                Exchange exchange = response.id() == null ? null : asked.remove(response.id());
                if (exchange == null) {
                    strays = strays + 1;
                    count(json);
                    return;
                }
                unasked = 0;
                exchange.setAnswered();
                handOn(message);
            }
            case JSONRPCRequest ignored -> {
                count(json);
                handOn(message); // the SDK knows how to refuse
            }
            case JSONRPCNotification notification -> {
                count(json);
                if (notification.method().equals(McpSchema.METHOD_NOTIFICATION_TOOLS_LIST_CHANGED)) {
                    toolsChanged = true;
                }
            }
            default -> count(json);
        }
    }

    private synchronized void count(String json) throws IOException {
        unasked += json.length();
        if (unasked > patience) {
            throw new IOException("sent more than " + patience + " bytes that nobody asked for");
        }
    }

    private void handOn(JSONRPCMessage message) {
        var to = handler;
        if (to != null) {
            to.apply(Mono.just(message)).subscribe(done -> {}, failure -> {});
        }
    }

    @Override
    public void ended(String why) {
        ended.complete(why);
    }

    @Override
    public <T> T unmarshalFrom(Object data, TypeRef<T> type) {
        return mapper.convertValue(data, type);
    }

    @Override
    public Mono<Void> closeGracefully() {
        return Mono.fromRunnable(wire::close);
    }
}
