package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.chat.Limits;
import dev.ossicle.chat.ToolRunner;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.History;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.McpServers;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Fields;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.browser.AddressGuard;
import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpException;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import dev.ossicle.tools.mcp.McpSession;
import dev.ossicle.tools.mcp.McpTool;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A request's MCP servers: what the model may call of them, what the client wants to be asked about first, and what was called
 * before. The servers are connected while the request is read, since the prompt depends on what they offer.
 */
final class McpTools {
    private static final int MAX_SERVERS = 16;
    private static final int MAX_NAMES = 512;

    /** The web's own: a request must not reach whatever else listens somewhere. */
    private static final Set<Integer> PORTS = Set.of(-1, 80, 443, 8080, 8443);

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final McpLimits THEIRS = new McpLimits(
            PATIENCE,
            PATIENCE,
            McpLimits.DEFAULT.call(),
            McpLimits.DEFAULT.tools(),
            McpLimits.DEFAULT.schema(),
            4 << 20);

    /**
     * What stands behind a function of the model's.
     *
     * @param name that the model has for it
     * @param asks whether the client is asked before it is called
     */
    record Function(String name, String label, String tool, boolean asks) {}

    /** What a server offers, or why that is not known. */
    record Listing(
            String id,
            String label,
            List<McpTool> tools,
            @Nullable String error) {
        /** As an item of the response. */
        JsonObject item(boolean done) {
            JsonObject.Builder item = object().put("id", id)
                    .put("type", "mcp_list_tools")
                    .put("server_label", label)
                    .put(
                            "tools",
                            Json.of(done ? tools.stream().map(Listing::tool).toList() : List.of()));
            return done
                    ? item.put("error", error == null ? JsonNull.NULL : Json.of(error))
                            .build()
                    : item.build();
        }

        private static Json tool(McpTool tool) {
            return object().put("name", tool.name())
                    .put("description", tool.description())
                    .put("input_schema", tool.inputSchema())
                    .put("annotations", tool.annotations() == null ? JsonNull.NULL : tool.annotations())
                    .build();
        }
    }

    /** A call: asked for in an earlier response. */
    record Request(String id, String label, String tool, String arguments) {}

    /** What came of a call that the client approved of. */
    record Approved(Request request, ToolOutput output) {
        McpCall item() {
            return new McpCall(request.label(), request.tool(), request.arguments(), request.id());
        }
    }

    private final Map<String, Function> functions = new LinkedHashMap<>();
    private final Map<String, McpSession> sessions = new LinkedHashMap<>();
    private final List<ToolSession> unasked = new ArrayList<>();
    private final List<McpServer> theirs = new ArrayList<>();
    private final List<Listing> listings = new ArrayList<>();
    private final Set<String> listedBefore = new HashSet<>();
    private final Map<String, Request> requests = new HashMap<>();
    private final Map<String, Request> approved = new LinkedHashMap<>();
    private final List<Approved> done = new ArrayList<>();

    private McpTools() {}

    /** @param entries tools of type {@code mcp} */
    static McpTools open(List<Fields> entries, McpServers available) throws InterruptedException {
        McpTools tools = new McpTools();
        boolean complete = false;
        try {
            for (Fields entry : entries) {
                tools.add(entry, available);
            }
            complete = true;
            return tools;
        } finally {
            if (!complete) {
                tools.close();
            }
        }
    }

    private void add(Fields entry, McpServers available) throws InterruptedException {
        String label = entry.requiredString("server_label");
        if (listings.stream().anyMatch(listing -> listing.label().equals(label))) {
            throw entry.bad("server_label", "there are two MCP servers called " + label);
        }
        if (listings.size() == MAX_SERVERS) {
            throw entry.bad("server_label", "there are more than " + MAX_SERVERS + " MCP servers");
        }
        entry.refuse("connector_id", "connectors are a service of OpenAI's");
        entry.refuse("tunnel_id", "tunnels are a service of OpenAI's");
        Predicate<McpTool> asks = asks(entry);
        Fields filter = entry.get("allowed_tools") instanceof JsonArray ? null : entry.fields("allowed_tools");
        Predicate<McpTool> allowed = filter != null
                ? matches(filter)
                : entry.has("allowed_tools") ? named(entry, "allowed_tools") : tool -> true;
        McpServer server = server(entry, label, available);
        try {
            List<McpTool> chosen = server.tools().stream().filter(allowed).toList();
            for (String name : names(entry, filter)) {
                if (chosen.stream().noneMatch(tool -> tool.name().equals(name))) {
                    throw entry.bad("allowed_tools", "MCP server " + label + " has no tool " + name);
                }
            }
            McpSession session = new McpSession(server, chosen);
            sessions.put(label, session);
            unasked.add(session.only(asks.negate()));
            for (ToolDescription function : session.namespace().tools()) {
                McpTool tool = session.tool(function.name());
                if (tool != null) {
                    functions.put(function.name(), new Function(function.name(), label, tool.name(), asks.test(tool)));
                }
            }
            listings.add(new Listing(Ids.next("mcpl_"), label, chosen, null));
        } catch (McpException e) {
            listings.add(new Listing(Ids.next("mcpl_"), label, List.of(), String.valueOf(e.getMessage())));
        }
    }

    private static List<String> names(Fields entry, @Nullable Fields filter) {
        return filter == null && entry.has("allowed_tools") ? entry.strings("allowed_tools", MAX_NAMES) : List.of();
    }

    private static Predicate<McpTool> named(Fields where, String member) {
        Set<String> names = Set.copyOf(where.strings(member, MAX_NAMES));
        return tool -> names.contains(tool.name());
    }

    private static Predicate<McpTool> matches(Fields filter) {
        Predicate<McpTool> byName = filter.has("tool_names") ? named(filter, "tool_names") : tool -> true;
        if (!filter.has("read_only")) {
            return byName;
        }
        boolean readOnly = filter.bool("read_only", true);
        return byName.and(tool -> tool.readOnly() == readOnly);
    }

    /** OpenAI's default is to ask. */
    private static Predicate<McpTool> asks(Fields entry) {
        if (entry.get("require_approval") instanceof JsonString) {
            String word = entry.requiredString("require_approval");
            return switch (word) {
                case "always" -> tool -> true;
                case "never" -> tool -> false;
                default ->
                    throw entry.bad(
                            "require_approval",
                            entry.path("require_approval") + " is \"" + word
                                    + "\", must be always, never or an object that says for which tools");
            };
        }
        Fields filters = entry.fields("require_approval");
        Fields always = filters == null ? null : filters.fields("always");
        Fields never = filters == null ? null : filters.fields("never");
        Predicate<McpTool> mustAsk = always == null ? tool -> false : matches(always);
        Predicate<McpTool> mayCall = never == null ? tool -> always != null : matches(never);
        return tool -> mustAsk.test(tool) || !mayCall.test(tool);
    }

    private McpServer server(Fields entry, String label, McpServers available) {
        String url = entry.string("server_url");
        String known = available.byLabel().isEmpty()
                ? ""
                : ": " + String.join(", ", available.byLabel().keySet());
        if (url == null) {
            McpServer own = available.byLabel().get(label);
            if (own == null) {
                throw entry.bad(
                        "server_label",
                        "this server has no MCP server called " + label
                                + (known.isEmpty() ? ": it is started with --mcp " + label + "=..." : known));
            }
            String why = "it belongs to a server_url; what this server's own MCP servers are told is its operator's";
            entry.refuse("headers", why);
            entry.refuse("authorization", why);
            return own;
        }
        if (!available.urls()) {
            throw entry.bad(
                    "server_url",
                    "this server calls no MCP servers that a request names (it would with --allow-mcp-urls)"
                            + (known.isEmpty() ? "" : "; it has these by server_label" + known));
        }
        McpServer opened;
        try {
            URI uri = new URI(url);
            if (!PORTS.contains(uri.getPort())) {
                throw new IllegalArgumentException("port " + uri.getPort() + " is not one of the web's");
            }
            opened = new McpServer(label, new McpAddress.Url(uri, headers(entry), new AddressGuard()), THEIRS);
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw entry.bad("server_url", entry.path("server_url") + ": " + e.getMessage());
        }
        theirs.add(opened);
        return opened;
    }

    private static Map<String, String> headers(Fields entry) {
        Map<String, String> headers = new HashMap<>();
        Fields given = entry.fields("headers");
        if (given != null) {
            given.object().members().keySet().forEach(name -> headers.put(name, given.requiredString(name)));
        }
        String token = entry.string("authorization");
        if (token != null) {
            headers.keySet().removeIf(name -> name.equalsIgnoreCase("authorization"));
            headers.put("Authorization", "Bearer " + token);
        }
        return headers;
    }

    /** The first thing that is wrong with the servers, for a client; null if nothing is. */
    @Nullable
    ApiException failure() {
        return listings.stream()
                .filter(listing -> listing.error() != null)
                .findFirst()
                .map(listing -> ApiException.refused(
                        424, "external_connector_error", "its tools cannot be listed: " + listing.error()))
                .orElse(null);
    }

    /** What the model is told: functions by their names. */
    List<ToolDescription> descriptions() {
        return sessions.values().stream()
                .flatMap(session -> session.namespace().tools().stream())
                .toList();
    }

    /** What the servers say on how to use them. */
    List<String> instructions() {
        List<String> all = new ArrayList<>();
        for (McpSession session : sessions.values()) {
            String said = session.instructions();
            if (said != null) {
                all.add(said);
            }
        }
        return all;
    }

    /** By the model's name for it, with or without the namespace; null if it is none of these. */
    @Nullable
    Function function(String recipient) {
        String prefix = ToolNamespace.FUNCTIONS + ".";
        return functions.get(recipient.startsWith(prefix) ? recipient.substring(prefix.length()) : recipient);
    }

    /** The names of a server's functions, or of one of them. */
    Set<String> names(String label, @Nullable String tool) {
        Set<String> names = new HashSet<>();
        for (Function function : functions.values()) {
            if (function.label().equals(label)
                    && (tool == null || function.tool().equals(tool))) {
                names.add(function.name());
            }
        }
        return names;
    }

    /** Those that run without asking. */
    List<ToolSession> unasked() {
        return unasked;
    }

    /** What is new to the client. */
    List<Listing> listings() {
        return listings.stream()
                .filter(listing -> !listedBefore.contains(listing.label()))
                .toList();
    }

    List<Approved> approved() {
        return done;
    }

    /** Reads an item of the history; whether it is one of MCP's. */
    boolean take(Fields item, String type, History history) {
        switch (type) {
            case "mcp_list_tools" -> listedBefore.add(item.string("server_label", ""));
            case "mcp_call" -> {
                Request call = request(item);
                String approval = item.string("approval_request_id");
                if (approval != null) {
                    approved.remove(approval); // it has been run
                }
                tell(call, outcome(item), item.path("id"), history);
            }
            case "mcp_approval_request" -> {
                Request request = request(item);
                requests.put(request.id(), request);
            }
            case "mcp_approval_response" -> {
                String id = item.requiredString("approval_request_id");
                Request request = requests.get(id);
                if (request == null) {
                    throw item.bad("approval_request_id", "no mcp_approval_request before it has the id " + id);
                }
                if (item.bool("approve", false)) {
                    approved.put(id, request);
                } else {
                    String reason = item.string("reason", "");
                    String refusal = "error: the user does not want this call to be made";
                    tell(request, refusal + (reason.isEmpty() ? "" : ": " + reason), item.path(), history);
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Request request(Fields item) {
        return new Request(
                item.string("id", Ids.next("mcp_")),
                item.requiredString("server_label"),
                item.requiredString("name"),
                item.string("arguments", "{}"));
    }

    private static String outcome(Fields item) {
        String output = item.string("output");
        if (output != null) {
            return output;
        }
        Json error = item.get("error");
        return error == null ? "error: no output" : "error: " + (error instanceof JsonString s ? s.value() : error);
    }

    private void tell(Request call, String result, String param, History history) {
        history.call(call.id(), modelName(call), call.arguments());
        history.result(call.id(), null, result, param);
    }

    /** Also of what is not offered any more. */
    private String modelName(Request call) {
        for (Function function : functions.values()) {
            if (function.label().equals(call.label()) && function.tool().equals(call.tool())) {
                return function.name();
            }
        }
        return McpSession.functionName(call.label(), call.tool());
    }

    /** The assistant went on after what was approved so far: that is over, whether or not its result was kept. */
    void wentOn() {
        approved.clear();
    }

    /**
     * Makes the calls that the client has approved of, under the limits of a conversation. Only what this request offers can
     * be called: the item may not be what it was when it was sent out.
     */
    void runApproved(History history) throws InterruptedException {
        ToolRunner runner =
                new ToolRunner(ToolRunner.callees(List.of(), List.copyOf(sessions.values())), Limits.DEFAULT);
        for (Request request : approved.values()) {
            if (names(request.label(), request.tool()).isEmpty()) {
                throw ApiException.badRequest(
                        "tools",
                        "the approved call of " + request.tool() + " needs its MCP server " + request.label()
                                + " among the tools, with that tool");
            }
            ToolOutput result = runner.run(List.of(new ToolRunner.Call(modelName(request), request.arguments())))
                    .getFirst();
            tell(request, result.text(), "input", history);
            done.add(new Approved(request, result));
        }
        approved.clear();
    }

    /** The request's tools as they are given back and kept: without keys. */
    static Json withoutKeys(Json tools) {
        if (!(tools instanceof JsonArray array)) {
            return tools;
        }
        List<Json> shown = new ArrayList<>();
        for (Json tool : array.elements()) {
            if (tool instanceof JsonObject object && Json.of("mcp").equals(object.get("type"))) {
                Map<String, Json> members = new LinkedHashMap<>(object.members());
                members.keySet().removeAll(List.of("authorization", "headers"));
                shown.add(new JsonObject(members));
            } else {
                shown.add(tool);
            }
        }
        return new JsonArray(shown);
    }

    /** Ends the connections that only this request had. */
    void close() {
        // They say good-bye, which may take a moment that the client need not wait for.
        theirs.forEach(server -> Thread.ofVirtual().start(server::close));
    }
}
