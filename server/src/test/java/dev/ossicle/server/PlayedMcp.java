package dev.ossicle.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/** An MCP server on this machine with a box: one tool looks into it, one empties it, one does not work. */
final class PlayedMcp implements AutoCloseable {
    /** The tools that were called, in order. */
    final List<String> calls = new CopyOnWriteArrayList<>();

    private final HttpServer http;

    PlayedMcp() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/mcp", this::answer);
        http.start();
    }

    String url() {
        return "http://127.0.0.1:" + http.getAddress().getPort() + "/mcp";
    }

    McpServer as(String label) {
        return new McpServer(label, McpAddress.Url.trusted(URI.create(url()), Map.of()), McpLimits.DEFAULT);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            JsonObject message = body.isEmpty() ? JsonObject.EMPTY : (JsonObject) Json.parse(body);
            if (message.get("id") == null) {
                exchange.sendResponseHeaders(202, -1);
                return;
            }
            String result = result(message);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody()
                    .write(("{\"jsonrpc\": \"2.0\", \"id\": " + message.get("id") + ", \"result\": " + result + "}")
                            .getBytes(StandardCharsets.UTF_8));
        }
    }

    private String result(JsonObject message) {
        return switch (String.valueOf(message.get("method"))) {
            case "\"initialize\"" ->
                "{\"protocolVersion\": \"2025-06-18\", \"capabilities\": {\"tools\": {}}, \"instructions\": \"Look first.\","
                        + " \"serverInfo\": {\"name\": \"box\", \"version\": \"1\"}}";
            case "\"tools/list\"" ->
                "{\"tools\": [" + tool("look", true) + ", " + tool("empty", false) + ", " + tool("fail", false) + "]}";
            default -> {
                String name = Scripted.text(message, "params", "name");
                calls.add(name);
                String where = Scripted.at(message, "params", "arguments", "where") instanceof JsonString text
                        ? text.value()
                        : "?";
                yield "{\"content\": [{\"type\": \"text\", \"text\": \"" + name + " " + where + "\"}], \"isError\": "
                        + name.equals("fail") + "}";
            }
        };
    }

    private static String tool(String name, boolean readOnly) {
        return "{\"name\": \"" + name + "\", \"description\": \"To " + name
                + ".\", \"inputSchema\": {\"type\": \"object\","
                + " \"title\": \"T\", \"properties\": {\"where\": {\"type\": \"string\"}}}, \"annotations\":"
                + " {\"readOnlyHint\": " + readOnly + "}}";
    }

    @Override
    public void close() {
        http.stop(0);
    }
}
