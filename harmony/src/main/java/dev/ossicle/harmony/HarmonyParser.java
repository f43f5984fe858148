package dev.ossicle.harmony;

import dev.ossicle.harmony.internal.IntList;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns tokens into messages, one token at a time. Not thread-safe. {@link HarmonyEncoding#parser} makes one.
 *
 * <pre>{@code
 * HarmonyParser parser = encoding.parser(Role.ASSISTANT, ParseMode.TOTAL);
 * for (int token : sampled) {
 *     parser.process(token);
 *     if (parser.delta() != null) {
 *         show(parser.channel(), parser.delta());
 *     }
 * }
 * parser.finish();
 * List<Message> answer = parser.messages();
 * }</pre>
 *
 * <p>In total mode the deltas of a message, that of {@link #finish} included, make up its content; the delta of a
 * step belongs to the message that the step completed, or else to the open one. In the other modes what is left of a
 * broken character at the end of a message is in its content only, as in OpenAI's library.
 */
public final class HarmonyParser {
    private final Tokenizer tokenizer;
    private final Progress progress;
    private final ParserRules rules;

    HarmonyParser(Tokenizer tokenizer, Progress progress, ParserRules rules) {
        this.tokenizer = tokenizer;
        this.progress = progress;
        this.rules = rules;
    }

    /**
     * Takes the next token.
     *
     * @throws HarmonyException in the modes that throw; the parser may be used on, and expects a start
     */
    public void process(int token) {
        progress.tokens.add(token);
        rules.process(token);
    }

    /**
     * Says that no token follows, which completes an open message.
     *
     * @throws HarmonyException in the modes that throw, if a header is open
     */
    public void finish() {
        rules.finish();
    }

    public ParserState state() {
        return progress.state;
    }

    /** Whose message is open, as far as it is known yet. */
    public @Nullable Role role() {
        return progress.header != null ? progress.header.role() : progress.pendingRole;
    }

    /** The channel of the open message, once its text has begun; so too the next two. */
    public @Nullable String channel() {
        return progress.header == null ? null : progress.header.channel();
    }

    public @Nullable String recipient() {
        return progress.header == null ? null : progress.header.recipient();
    }

    public @Nullable String contentType() {
        return progress.header == null ? null : progress.header.contentType();
    }

    /** The text of the open message so far; empty outside of one. */
    public String content() {
        return progress.text.toString();
    }

    /** The text that the last step added; null if it added none. */
    public @Nullable String delta() {
        return progress.delta;
    }

    /** The completed messages. */
    public List<Message> messages() {
        return Collections.unmodifiableList(progress.messages);
    }

    /** The tokens taken. */
    public int[] tokens() {
        return progress.tokens.toArray();
    }

    /** What had to be repaired; always empty except in total mode. */
    public List<Repair> repairs() {
        return Collections.unmodifiableList(progress.repairs);
    }

    /** State and open message as OpenAI's library writes them; the open text is encoded anew, delta by delta. */
    public JsonObject stateJson() {
        JsonObject.Builder json = JsonObject.builder().put("state", progress.state.text());
        switch (progress.state) {
            case EXPECT_START -> {}
            case HEADER -> json.put("header_tokens", array(progress.headerTokens.toArray()));
            case CONTENT -> {
                if (progress.header != null) {
                    json.put("header", progress.header.toJson());
                }
                IntList encoded = new IntList(64);
                for (String delta : progress.text.deltas()) {
                    encoded.addAll(tokenizer.encodeOrdinary(delta));
                }
                json.put("content_tokens", array(encoded.toArray()));
            }
        }
        return json.build();
    }

    private static Json array(int[] tokens) {
        return Json.of(Arrays.stream(tokens).mapToObj(Json::of).toList());
    }
}
