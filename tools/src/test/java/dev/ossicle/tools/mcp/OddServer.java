package dev.ossicle.tools.mcp;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** A server that does one thing wrong, which its argument names. */
final class OddServer {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    private final String oddity;
    private final List<String> cancelled = new ArrayList<>();
    private int lists;

    private OddServer(String oddity) {
        this.oddity = oddity;
    }

    public static void main(String[] args) throws Exception {
        new OddServer(args[0]).run();
    }

    private void run() throws IOException, InterruptedException {
        switch (oddity) {
            case "exit" -> {
                System.err.println("no file config.toml");
                System.exit(3);
            }
            case "garbage" -> say("Welcome to this server!");
            case "chatty" -> {
                for (int i = 0; i < 100_000; i++) {
                    System.err.println("line " + i);
                }
            }
            default -> {}
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            take((JsonObject) Json.parse(line));
        }
        if (oddity.equals("stays")) {
            new CountDownLatch(1).await(); // at the end of its input, a server should end
        }
    }

    private void take(JsonObject message) throws IOException, InterruptedException {
        Json id = message.get("id");
        String method = message.get("method") instanceof JsonString name ? name.value() : "";
        JsonObject params = message.get("params") instanceof JsonObject object ? object : JsonObject.EMPTY;
        switch (method) {
            case "initialize" -> {
                if (oddity.equals("hang")) {
                    new CountDownLatch(1).await();
                }
                String version = oddity.equals("version") ? "1999-01-01" : "2025-06-18";
                answer(
                        id,
                        "{\"protocolVersion\": \"" + version
                                + "\", \"capabilities\": {\"tools\": {\"listChanged\": true}},"
                                + " \"serverInfo\": {\"name\": \"odd\", \"version\": \"1\"}}");
            }
            case "tools/list" -> list(id);
            case "tools/call" -> call(id, params);
            case "notifications/cancelled" -> cancelled.add(String.valueOf(params.get("requestId")));
            default -> {}
        }
    }

    private void list(@Nullable Json id) throws InterruptedException {
        lists++;
        String names = switch (oddity) {
            case "changes" -> lists == 1 ? "old" : "new";
            case "endless" -> "tool" + lists;
            default -> "do";
        };
        int size = oddity.equals("wordy") ? 100_000 : 1;
        answer(
                id,
                "{\"tools\": [{\"name\": \"" + names + "\", \"description\": \"" + "x".repeat(size)
                        + "\", \"inputSchema\": {\"type\": \"object\"}}]"
                        + (oddity.equals("endless") ? ", \"nextCursor\": \"" + lists + "\"" : "") + "}");
        if (oddity.equals("deaf")) {
            new CountDownLatch(1).await();
        }
    }

    private void call(@Nullable Json id, JsonObject params) throws IOException {
        switch (oddity) {
            case "ids" -> answer(Json.of("somebody else's"), result("wrong"));
            case "huge" -> answer(id, result("y".repeat(100 << 20)));
            case "dies" -> System.exit(1);
            case "error" ->
                say("{\"jsonrpc\": \"2.0\", \"id\": " + id + ", \"error\": {\"code\": -32602, \"message\": \"odd\"}}");
            case "shape" -> answer(id, "{\"content\": \"not a list\"}");
            case "flood" -> {
                while (!OUT.checkError()) {
                    say("{\"jsonrpc\": \"2.0\", \"method\": \"notifications/message\", \"params\": {\"data\": \""
                            + "z".repeat(10_000) + "\"}}");
                }
            }
            case "changes" -> {
                say("{\"jsonrpc\": \"2.0\", \"method\": \"notifications/tools/list_changed\"}");
                answer(id, result("changed"));
            }
            case "stays" -> {
                Process child = new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                OddServer.class.getName(),
                                "hang")
                        .redirectInput(ProcessBuilder.Redirect.PIPE)
                        .start();
                answer(id, result(child.pid() + " " + ProcessHandle.current().pid()));
            }
            case "waits" -> {
                JsonObject arguments = params.get("arguments") instanceof JsonObject object ? object : JsonObject.EMPTY;
                if (arguments.get("wait") == null) {
                    answer(id, result(cancelled.size() + " cancelled"));
                }
            }
            default -> answer(id, result("done"));
        }
    }

    private static String result(String text) {
        return JsonObject.builder()
                .put(
                        "content",
                        new JsonArray(List.of(JsonObject.builder()
                                .put("type", "text")
                                .put("text", text)
                                .build())))
                .build()
                .toString();
    }

    private static void answer(@Nullable Json id, String result) {
        say("{\"jsonrpc\": \"2.0\", \"id\": " + id + ", \"result\": " + result + "}");
    }

    private static void say(String line) {
        OUT.print(line + "\n");
        OUT.flush();
    }
}
