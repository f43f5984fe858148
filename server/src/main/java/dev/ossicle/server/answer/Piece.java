package dev.ossicle.server.answer;

import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import java.util.List;

/** What an answer is made of, in the order in which it comes. */
public sealed interface Piece {
    /** More of what the model thinks. */
    record Reasoning(String text) implements Piece {}

    /**
     * More of what it says.
     *
     * @param preamble whether it announces a call
     * @param tokens that make it up, if logprobs were asked for
     */
    record Text(String text, boolean preamble, List<Token> tokens) implements Piece {}

    /** A call begins. */
    record CallStart(String id, String name) implements Piece {}

    /** More of the arguments of the call that began last. */
    record CallArguments(String id, String text) implements Piece {}

    /** The call that began last is complete. */
    record CallEnd(Call call) implements Piece {}

    /**
     * A tool of the server's own begins to run.
     *
     * @param tool as the model calls it: {@code python}
     * @param input what the model wrote
     */
    record ToolStart(String id, String tool, String input) implements Piece {}

    /** What came of it: what the model is told. */
    record ToolEnd(String id, String tool, String output, boolean failed) implements Piece {}

    /** @param arguments JSON, unless the model was not held to it */
    record Call(String id, String name, String arguments) {
        /** The arguments as the object that some dialects want; if the model wrote none, its text in one. */
        public JsonObject object() {
            try {
                if (Json.parse(arguments.isBlank() ? "{}" : arguments) instanceof JsonObject object) {
                    return object;
                }
            } catch (JsonException e) {
                // cut
            }
            return JsonObject.builder().put("_raw", arguments).build();
        }
    }
}
