package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.Piece;
import dev.ossicle.tools.Arguments;
import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolOutput;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A call of a tool that runs here: an item of the response, and the events that are its own. */
interface HostedCall {
    String BROWSER = "browser.";

    /** An event of the item, without what every event of an item has. */
    record Event(String type, JsonObject members) {
        Event(String type) {
            this(type, JsonObject.EMPTY);
        }
    }

    /** Of the item's id. */
    String prefix();

    /** The item without its id. @param output null while it runs */
    JsonObject.Builder item(JsonObject.Builder item, @Nullable ToolOutput output);

    /** Between the item's begin and the tool's. */
    List<Event> begin();

    /** Between the tool's end and the item's. */
    List<Event> end(ToolOutput output);

    /** The form that a call takes. */
    static HostedCall of(Piece.ToolStart start, boolean searchSources) {
        return start.tool().startsWith(BROWSER)
                ? new Browse(
                        start.tool().substring(BROWSER.length()),
                        Arguments.parse(start.input()).orElse(JsonObject.EMPTY),
                        searchSources)
                : new Code(start.input(), start.container());
    }

    /** OpenAI's code interpreter. */
    record Code(String code, String container) implements HostedCall {
        @Override
        public String prefix() {
            return "ci_";
        }

        @Override
        public JsonObject.Builder item(JsonObject.Builder item, @Nullable ToolOutput output) {
            return item.put("type", "code_interpreter_call")
                    .put("status", output == null ? "in_progress" : "completed")
                    .put("code", output == null ? "" : code)
                    .put("container_id", container)
                    .put("outputs", output == null ? JsonArray.EMPTY : Json.of(List.of(logs(output))));
        }

        private static JsonObject logs(ToolOutput output) {
            return object().put("type", "logs").put("logs", output.text()).build();
        }

        @Override
        public List<Event> begin() {
            return List.of(
                    new Event("response.code_interpreter_call.in_progress"),
                    new Event(
                            "response.code_interpreter_call_code.delta",
                            object().put("delta", code).build()),
                    new Event(
                            "response.code_interpreter_call_code.done",
                            object().put("code", code).build()),
                    new Event("response.code_interpreter_call.interpreting"));
        }

        @Override
        public List<Event> end(ToolOutput output) {
            return List.of(new Event("response.code_interpreter_call.completed"));
        }
    }

    /**
     * OpenAI's web search, one call of the browser's.
     *
     * @param function {@code search}, {@code open} or {@code find}
     * @param arguments empty if the model wrote none that can be read
     * @param sources whether the client wants to know what a search found
     */
    record Browse(String function, JsonObject arguments, boolean sources) implements HostedCall {
        @Override
        public String prefix() {
            return "ws_";
        }

        @Override
        public JsonObject.Builder item(JsonObject.Builder item, @Nullable ToolOutput output) {
            return item.put("type", "web_search_call")
                    .put("status", output == null ? "in_progress" : output.failed() ? "failed" : "completed")
                    .put("action", action(output));
        }

        private JsonObject action(@Nullable ToolOutput output) {
            JsonObject.Builder action = object();
            switch (function) {
                case "search" -> {
                    String query = Arguments.string(arguments, "query", "");
                    action.put("type", "search").put("query", query).put("queries", Json.of(List.of(Json.of(query))));
                    if (sources && output != null) {
                        List<Json> found = new ArrayList<>();
                        for (Source source : output.sources()) {
                            found.add(object().put("type", "url")
                                    .put("url", source.url())
                                    .build());
                        }
                        action.put("sources", Json.of(found));
                    }
                }
                case "find" ->
                    action.put("type", "find_in_page")
                            .put("pattern", Arguments.string(arguments, "pattern", ""))
                            .put("url", url(output));
                default -> action.put("type", "open_page").put("url", url(output));
            }
            return action.build();
        }

        /** What the model wrote is often the number of a link: the page that came of it says more. */
        private String url(@Nullable ToolOutput output) {
            return output == null || output.sources().isEmpty()
                    ? Arguments.string(arguments, "id", "")
                    : output.sources().getFirst().url();
        }

        @Override
        public List<Event> begin() {
            return List.of(
                    new Event("response.web_search_call.in_progress"), new Event("response.web_search_call.searching"));
        }

        @Override
        public List<Event> end(ToolOutput output) {
            return List.of(new Event("response.web_search_call.completed"));
        }
    }
}
