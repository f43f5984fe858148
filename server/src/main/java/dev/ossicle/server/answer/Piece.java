package dev.ossicle.server.answer;

import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.store.KeptFiles.KeptFile;
import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolOutput;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an answer is made of, in the order in which it comes. */
public sealed interface Piece {
    /** More of what the model thinks. */
    record Reasoning(String text) implements Piece {}

    /**
     * More of what it says.
     *
     * @param preamble whether it announces a call
     * @param tokens that make it up, if logprobs were asked for
     * @param source where the text is a link to a page that a tool showed, in the place of a citation; else null
     */
    record Text(
            String text,
            boolean preamble,
            List<Token> tokens,
            @Nullable Source source) implements Piece {}

    /** A call begins. */
    record CallStart(String id, String name) implements Piece {}

    /** More of the arguments of the call that began last. */
    record CallArguments(String id, String text) implements Piece {}

    /** The call that began last is complete. */
    record CallEnd(Call call) implements Piece {}

    /**
     * A tool of the server's own begins to run.
     *
     * @param tool as the model calls it: {@code python}, {@code browser.search}
     * @param input what the model wrote
     * @param container of the files of this answer
     */
    record ToolStart(String tool, String input, String container) implements Piece {}

    /**
     * What came of it.
     *
     * @param files that it left, for the client to fetch
     */
    record ToolEnd(ToolOutput output, List<KeptFile> files) implements Piece {}

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
