package dev.ossicle.server.answer;

import dev.ossicle.chat.ChatOptions;
import dev.ossicle.engine.LogitAdjustments;
import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Fields;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How to answer, in the fields that the dialects share. */
public final class Settings {
    private static final double MAX_TEMPERATURE = 2;

    /** Below any probability: keeps the best token alone, as top-p 0 does elsewhere. */
    private static final double SMALLEST_TOP_P = 1e-9;

    private static final int MAX_STOPS = 16;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,128}");

    private Settings() {}

    /** The model's own where nothing is said: temperature 1, nothing cut. */
    public static ChatOptions sampling(Fields fields, ChatOptions options) {
        Sampling sampling = new Sampling(
                fields.number("temperature", 1, 0, MAX_TEMPERATURE),
                Math.max(SMALLEST_TOP_P, fields.number("top_p", 1, 0, 1)),
                (int) Math.max(0, fields.integer("top_k", 0, -1, Integer.MAX_VALUE)), // -1: all, as vLLM has it
                fields.number("min_p", 0, 0, 1),
                0);
        ChatOptions sampled = options.withSampling(sampling);
        return fields.has("seed")
                ? sampled.withSeed(fields.integer("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE))
                : sampled;
    }

    /** Texts that end an answer. */
    public static List<String> stops(Fields fields, String name) {
        return fields.strings(name, MAX_STOPS).stream()
                .filter(stop -> !stop.isEmpty())
                .toList();
    }

    /** The name of a function, which must be able to stand in a header. */
    public static String functionName(Fields function) {
        String name = function.requiredString("name");
        if (!NAME.matcher(name).matches()) {
            throw function.bad(
                    "name",
                    function.path("name") + " is \"" + name
                            + "\": letters, digits, _, - and . are allowed, 128 at most");
        }
        return name;
    }

    /**
     * The same where each name may stand once.
     *
     * @param used those of the functions before it; it is added to them
     */
    public static String functionName(Fields function, Set<String> used) {
        String name = functionName(function);
        if (!used.add(name)) {
            throw function.bad("name", "there are two tools called " + name);
        }
        return name;
    }

    public static LogitAdjustments adjustments(Fields fields, int vocabulary) {
        Map<Integer, Double> bias = new HashMap<>();
        JsonObject given = fields.jsonObject("logit_bias");
        if (given != null) {
            for (Map.Entry<String, Json> each : given.members().entrySet()) {
                bias.put(token(fields, each.getKey(), vocabulary), bias(fields, each.getKey(), each.getValue()));
            }
        }
        return new LogitAdjustments(
                bias, fields.number("presence_penalty", 0, -2, 2), fields.number("frequency_penalty", 0, -2, 2));
    }

    private static int token(Fields fields, String text, int vocabulary) {
        try {
            int token = Integer.parseInt(text);
            if (token >= 0 && token < vocabulary) {
                return token;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw fields.bad(
                "logit_bias",
                "logit_bias has the key \"" + text + "\", must be token ids from 0 to " + (vocabulary - 1));
    }

    private static double bias(Fields fields, String token, Json value) {
        if (value instanceof JsonNumber number && Math.abs(number.doubleValue()) <= 100) {
            return number.doubleValue();
        }
        throw fields.bad(
                "logit_bias", "logit_bias of token " + token + " is " + value + ", must be between -100 and 100");
    }

    /**
     * How long to think, and whether to show it.
     *
     * @param shown whether the client sees what is thought
     */
    public record Thinking(ReasoningEffort effort, boolean shown) {}

    /**
     * A word for it. gpt-oss has three efforts and cannot not think: what is less becomes low, what is more becomes high, and
     * "none" hides what is thought.
     */
    public static Thinking thinking(@Nullable String word, String param, Thinking byDefault) {
        if (word == null) {
            return byDefault;
        }
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "none" -> new Thinking(ReasoningEffort.LOW, false);
            case "minimal", "low" -> new Thinking(ReasoningEffort.LOW, byDefault.shown());
            case "medium" -> new Thinking(ReasoningEffort.MEDIUM, byDefault.shown());
            case "high", "xhigh", "max" -> new Thinking(ReasoningEffort.HIGH, byDefault.shown());
            default ->
                throw ApiException.badRequest(
                        param,
                        param + " is \"" + word + "\", must be low, medium or high (or none, minimal, xhigh, max)");
        };
    }
}
