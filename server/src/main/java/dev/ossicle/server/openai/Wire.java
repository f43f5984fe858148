package dev.ossicle.server.openai;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.Logprob;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Piece;
import dev.ossicle.tools.Source;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Pieces of JSON that OpenAI's dialects share. */
final class Wire {
    /** Below any log-probability that a client would tell from none. */
    private static final double LOWEST_LOGPROB = -9999;

    private Wire() {}

    static JsonObject.Builder object() {
        return JsonObject.builder();
    }

    static String finish(Outcome.End end) {
        return switch (end) {
            case STOP -> "stop";
            case CALLS -> "tool_calls";
            case LENGTH, SHUTDOWN, CANCELLED -> "length";
        };
    }

    static JsonObject usage(Usage usage) {
        return object().put("prompt_tokens", usage.promptTokens())
                .put("completion_tokens", usage.completionTokens())
                .put("total_tokens", (long) usage.promptTokens() + usage.completionTokens())
                .put(
                        "prompt_tokens_details",
                        object().put("cached_tokens", usage.cachedTokens()).build())
                .put(
                        "completion_tokens_details",
                        object().put("reasoning_tokens", usage.reasoningTokens())
                                .build())
                .build();
    }

    static JsonObject responsesUsage(Usage usage) {
        return object().put("input_tokens", usage.promptTokens())
                .put(
                        "input_tokens_details",
                        object().put("cached_tokens", usage.cachedTokens()).build())
                .put("output_tokens", usage.completionTokens())
                .put(
                        "output_tokens_details",
                        object().put("reasoning_tokens", usage.reasoningTokens())
                                .build())
                .put("total_tokens", (long) usage.promptTokens() + usage.completionTokens())
                .build();
    }

    /**
     * Where a text is cited; places are in code points.
     *
     * @param end of the link that is the citation
     */
    static JsonObject citation(Piece.Text link, int end, JsonObject.Builder json) {
        Source source = Objects.requireNonNull(link.source());
        return json.put(
                        "start_index",
                        (long) end - link.text().codePointCount(0, link.text().length()))
                .put("end_index", end)
                .put("title", source.title().isEmpty() ? source.url() : source.title())
                .put("url", source.url())
                .build();
    }

    /** {@code {"content": [...]}} of chat completions. */
    static Json logprobs(List<Token> tokens, Tokenizer tokenizer) {
        return object().put("content", tokenLogprobs(tokens, tokenizer))
                .put("refusal", JsonNull.NULL)
                .build();
    }

    static Json tokenLogprobs(List<Token> tokens, Tokenizer tokenizer) {
        List<Json> content = new ArrayList<>();
        for (Token token : tokens) {
            List<Logprob> logprobs = token.logprobs();
            List<Json> top = new ArrayList<>();
            for (Logprob each : logprobs.subList(1, logprobs.size())) {
                top.add(logprob(each, tokenizer).build());
            }
            content.add(logprob(logprobs.getFirst(), tokenizer)
                    .put("top_logprobs", Json.of(top))
                    .build());
        }
        return Json.of(content);
    }

    private static JsonObject.Builder logprob(Logprob logprob, Tokenizer tokenizer) {
        byte[] bytes = tokenizer.hasToken(logprob.token()) ? tokenizer.tokenBytes(logprob.token()) : new byte[0];
        List<Json> values = new ArrayList<>();
        for (byte value : bytes) {
            values.add(Json.of(value & 255));
        }
        return object().put("token", new String(bytes, StandardCharsets.UTF_8))
                .put("logprob", Math.max(LOWEST_LOGPROB, logprob.value()))
                .put("bytes", Json.of(values));
    }
}
