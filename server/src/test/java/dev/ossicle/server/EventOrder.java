package dev.ossicle.server;

import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The order of a response's events, as OpenAI's own streams have it; fails on any other. */
final class EventOrder {
    final StringBuilder reasoning = new StringBuilder();
    final StringBuilder content = new StringBuilder();
    private final StringBuilder open = new StringBuilder();
    private final List<Json> items = new ArrayList<>();
    private String state = "before";
    private @Nullable Json item;
    private long number;
    private int annotations;
    private @Nullable Json response;

    void take(Json event) {
        String type = text(event, "type");
        assertThat(at(event, "sequence_number")).as(type).isEqualTo(Json.of(number++));
        if (event.toString().contains("\"output_index\"")) {
            assertThat(at(event, "output_index")).as(type).isEqualTo(Json.of(items.size()));
        }
        switch (type) {
            case "response.created" -> move("before", "created", type);
            case "response.in_progress" -> move("created", "between", type);
            case "response.output_item.added" -> {
                move("between", "item", type);
                item = at(event, "item");
                switch (text(item, "type")) {
                    case "mcp_list_tools" -> {}
                    case "mcp_approval_request" -> state = "part done";
                    default -> assertThat(text(item, "status")).isEqualTo("in_progress");
                }
                open.setLength(0);
                annotations = 0;
            }
            case "response.content_part.added" -> move("item", "part", type);
            case "response.reasoning_text.delta", "response.output_text.delta" -> {
                move("part", "part", type);
                sameItem(event);
                (type.contains("reasoning") ? reasoning : content).append(text(event, "delta"));
                open.append(text(event, "delta"));
            }
            case "response.reasoning_text.done", "response.output_text.done" -> {
                move("part", "text done", type);
                assertThat(text(event, "text")).isEqualTo(open.toString());
            }
            case "response.content_part.done" -> {
                move("text done", "part done", type);
                assertThat(text(event, "part", "text")).isEqualTo(open.toString());
            }
            case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta" -> {
                move("item", "item", type);
                sameItem(event);
                open.append(text(event, "delta"));
            }
            case "response.custom_tool_call_input.done" -> {
                move("item", "part done", type);
                assertThat(text(event, "input")).isEqualTo(open.toString());
            }
            case "response.function_call_arguments.done" -> {
                move("item", "part done", type);
                assertThat(text(event, "arguments")).isEqualTo(open.toString());
            }
            case "response.web_search_call.in_progress" -> move("item", "code done", type);
            case "response.web_search_call.searching" -> move("code done", "running", type);
            case "response.web_search_call.completed" -> move("running", "part done", type);
            case "response.output_text.annotation.added" -> {
                move("part", "part", type);
                assertThat(at(event, "annotation_index")).isEqualTo(Json.of(annotations++));
            }
            case "response.code_interpreter_call.in_progress" -> move("item", "code", type);
            case "response.code_interpreter_call_code.delta" -> {
                move("code", "code", type);
                sameItem(event);
                open.append(text(event, "delta"));
            }
            case "response.code_interpreter_call_code.done" -> {
                move("code", "code done", type);
                assertThat(text(event, "code")).isEqualTo(open.toString());
            }
            case "response.code_interpreter_call.interpreting" -> move("code done", "running", type);
            case "response.code_interpreter_call.completed" -> move("running", "part done", type);
            case "response.mcp_list_tools.in_progress" -> move("item", "listing", type);
            case "response.mcp_list_tools.completed" -> move("listing", "part done", type);
            case "response.mcp_call.in_progress" -> move("item", "mcp call", type);
            case "response.mcp_call_arguments.delta" -> {
                move("mcp call", "mcp call", type);
                sameItem(event);
                open.append(text(event, "delta"));
            }
            case "response.mcp_call_arguments.done" -> {
                move("mcp call", "running", type);
                assertThat(text(event, "arguments")).isEqualTo(open.toString());
            }
            case "response.mcp_call.completed", "response.mcp_call.failed" -> {
                move("running", "part done", type);
                sameItem(event);
            }
            case "response.output_item.done" -> {
                move("part done", "between", type);
                assertThat(text(event, "item", "id")).isEqualTo(text(item, "id"));
                items.add(at(event, "item"));
            }
            case "response.completed", "response.incomplete" -> {
                move("between", "after", type);
                response = at(event, "response");
                assertThat(at(response, "output")).isEqualTo(new JsonArray(items));
                assertThat("response." + text(response, "status")).isEqualTo(type);
                assertThat(at(response, "usage", "total_tokens")).isNotNull();
            }
            default -> throw new AssertionError("an event that is not known: " + event);
        }
    }

    private void sameItem(Json event) {
        assertThat(text(event, "item_id")).isEqualTo(text(item, "id"));
    }

    private void move(String from, String to, String type) {
        assertThat(state).as(type).isEqualTo(from);
        state = to;
    }

    Json response() {
        assertThat(state).isEqualTo("after");
        return response == null ? Json.of("") : response;
    }
}
