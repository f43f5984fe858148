package dev.ossicle.harmony.tokenizer;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Hugging Face's {@code tokenizer.json}, as far as it describes byte-level byte-pair encoding. A setting that would
 * change the tokens and is not understood is an error.
 */
final class TokenizerJson {
    /** What the ByteLevel pre-tokenizer splits by unless it is told not to. */
    private static final String GPT2_PATTERN =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private TokenizerJson() {}

    static Tokenizer read(String text, String source) {
        try {
            return read(object(Json.parse(text), "the file"));
        } catch (JsonException e) {
            throw new TokenizerException(source + ": not JSON: " + e.getMessage(), e);
        } catch (TokenizerException e) {
            throw new TokenizerException(source + ": " + e.getMessage(), e);
        }
    }

    private static Tokenizer read(JsonObject root) {
        if (root.present("normalizer") != null) {
            throw unknown("normalizer", root.get("normalizer"), "null");
        }
        JsonObject model = object(root.get("model"), "model");
        // Files older than the "type" member have none.
        if (model.present("type") != null) {
            expect("model.type", model.get("type"), Json.of("BPE"));
        }
        for (String absent : List.of("dropout", "continuing_subword_prefix", "end_of_word_suffix")) {
            Json value = model.present(absent);
            if (value != null && !value.equals(Json.of("")) && !isZero(value)) {
                throw unknown("model." + absent, value, "null");
            }
        }
        if (model.present("byte_fallback") != null) {
            expect("model.byte_fallback", model.get("byte_fallback"), JsonBoolean.FALSE);
        }
        Tokenizer.Builder builder = Tokenizer.builder()
                .splitPattern(splitPattern(root.present("pre_tokenizer")))
                .wholePieces(JsonBoolean.TRUE.equals(model.get("ignore_merges")));
        Map<Integer, String> added = addedTokens(root.present("added_tokens"));
        Map<String, Integer> ids = new HashMap<>();
        object(model.get("vocab"), "model.vocab").members().forEach((token, value) -> {
            int id = id(value, "model.vocab[" + token + "]");
            if (token.equals(added.get(id))) {
                return;
            }
            byte[] bytes = ByteLevel.decode(token);
            if (bytes == null) {
                throw fail(
                        "model.vocab[" + token + "] is not in byte-to-unicode form: the vocabulary is not byte-level");
            }
            builder.token(id, bytes);
            ids.put(token, id);
        });
        added.forEach((id, name) -> builder.special(name, id));
        merges(model.present("merges"), ids, builder);
        return builder.build();
    }

    private static Map<Integer, String> addedTokens(@Nullable Json list) {
        Map<Integer, String> added = new LinkedHashMap<>();
        if (list == null) {
            return added;
        }
        for (Json element : array(list, "added_tokens").elements()) {
            JsonObject token = object(element, "added_tokens[" + added.size() + "]");
            String at = "added_tokens[" + added.size() + "]";
            if (!(token.get("content") instanceof JsonString name)) {
                throw unknown(at + ".content", token.get("content"), "a string");
            }
            for (String flag : List.of("single_word", "lstrip", "rstrip")) {
                if (JsonBoolean.TRUE.equals(token.get(flag))) {
                    throw unknown(at + "." + flag, JsonBoolean.TRUE, "false");
                }
            }
            int id = id(token.get("id"), at + ".id");
            String other = added.put(id, name.value());
            if (other != null) {
                throw fail(at + ": id " + id + " has two names, " + other + " and " + name.value());
            }
        }
        return added;
    }

    private static void merges(@Nullable Json list, Map<String, Integer> ids, Tokenizer.Builder builder) {
        if (list == null) {
            return;
        }
        int rank = 0;
        for (Json merge : array(list, "model.merges").elements()) {
            // "a b", or since 2024 ["a", "b"].
            String left = null;
            String right = null;
            if (merge instanceof JsonString both) {
                int space = both.value().indexOf(' ');
                if (space > 0) {
                    left = both.value().substring(0, space);
                    right = both.value().substring(space + 1);
                }
            } else if (merge instanceof JsonArray pair
                    && pair.size() == 2
                    && pair.get(0) instanceof JsonString first
                    && pair.get(1) instanceof JsonString second) {
                left = first.value();
                right = second.value();
            }
            Integer leftId = left == null ? null : ids.get(left);
            Integer rightId = right == null ? null : ids.get(right);
            if (leftId == null || rightId == null) {
                throw unknown("model.merges[" + rank + "]", merge, "two tokens of the vocabulary");
            }
            builder.merge(leftId, rightId);
            rank++;
        }
    }

    /** From a ByteLevel, or a Sequence of a Split and a ByteLevel. */
    private static String splitPattern(@Nullable Json preTokenizer) {
        String at = "pre_tokenizer";
        JsonObject last = object(preTokenizer, at);
        String pattern = null;
        if (Json.of("Sequence").equals(last.get("type"))) {
            JsonArray steps = array(last.get("pretokenizers"), at + ".pretokenizers");
            if (steps.size() != 2) {
                throw unknown(at + ".pretokenizers", steps, "a Split and a ByteLevel");
            }
            pattern = pattern(object(steps.get(0), at + ".pretokenizers[0]"));
            at += ".pretokenizers[1]";
            last = object(steps.get(1), at);
        }
        expect(at + ".type", last.get("type"), Json.of("ByteLevel"));
        expect(at + ".add_prefix_space", last.get("add_prefix_space"), JsonBoolean.FALSE);
        boolean gpt2 = !JsonBoolean.FALSE.equals(last.get("use_regex"));
        if (pattern != null && gpt2) {
            throw unknown(at + ".use_regex", last.get("use_regex"), "false behind a Split");
        }
        if (pattern != null) {
            return pattern;
        }
        // Without any pattern the whole text is one piece.
        return gpt2 ? GPT2_PATTERN : "[\\s\\S]+";
    }

    private static String pattern(JsonObject split) {
        String at = "pre_tokenizer.pretokenizers[0]";
        expect(at + ".type", split.get("type"), Json.of("Split"));
        JsonObject pattern = object(split.get("pattern"), at + ".pattern");
        if (!(pattern.get("Regex") instanceof JsonString regex)) {
            throw unknown(at + ".pattern", pattern, "a Regex");
        }
        // Matches are pieces, and so is what is between them; "Removed" with "invert" keeps the matches alone, which
        // is the same for a pattern that leaves nothing between.
        boolean invert = JsonBoolean.TRUE.equals(split.get("invert"));
        if (!Json.of("Isolated").equals(split.get("behavior"))
                && !(invert && Json.of("Removed").equals(split.get("behavior")))) {
            throw unknown(at + ".behavior", split.get("behavior"), "\"Isolated\"");
        }
        return regex.value();
    }

    private static boolean isZero(Json value) {
        return value instanceof JsonNumber number && number.doubleValue() == 0;
    }

    private static int id(@Nullable Json value, String at) {
        if (value instanceof JsonNumber number
                && number.isInteger()
                && number.text().length() < 10) {
            return Integer.parseInt(number.text());
        }
        throw unknown(at, value, "a token id");
    }

    private static JsonObject object(@Nullable Json value, String at) {
        if (value instanceof JsonObject object) {
            return object;
        }
        throw unknown(at, value, "an object");
    }

    private static JsonArray array(@Nullable Json value, String at) {
        if (value instanceof JsonArray array) {
            return array;
        }
        throw unknown(at, value, "an array");
    }

    private static void expect(String at, @Nullable Json value, Json expected) {
        if (!expected.equals(value)) {
            throw unknown(at, value, expected.toString());
        }
    }

    private static TokenizerException unknown(String at, @Nullable Json value, String expected) {
        String shown = value == null ? "missing" : value.toString();
        return fail(at + " is " + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown) + ", expected "
                + expected);
    }

    private static TokenizerException fail(String message) {
        return new TokenizerException(message);
    }

    static String write(Tokenizer tokenizer) {
        List<Json> added = new ArrayList<>();
        tokenizer.special().ids().entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .forEach(entry -> added.add(JsonObject.builder()
                        .put("id", entry.getValue())
                        .put("content", entry.getKey())
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", true)
                        .build()));
        Vocabulary vocabulary = tokenizer.vocabulary();
        JsonObject.Builder tokens = JsonObject.builder();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.has(id) && !tokenizer.isSpecial(id)) {
                tokens.put(ByteLevel.encode(vocabulary.bytes(id)), id);
            }
        }
        JsonObject byteLevel = JsonObject.builder()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false)
                .build();
        JsonObject split = JsonObject.builder()
                .put("type", "Split")
                .put(
                        "pattern",
                        JsonObject.builder()
                                .put("Regex", tokenizer.splitPattern())
                                .build())
                .put("behavior", "Isolated")
                .put("invert", false)
                .build();
        return JsonObject.builder()
                .put("version", "1.0")
                .put("added_tokens", Json.of(added))
                .put(
                        "pre_tokenizer",
                        JsonObject.builder()
                                .put("type", "Sequence")
                                .put("pretokenizers", Json.of(List.of(split, byteLevel)))
                                .build())
                .put("decoder", byteLevel)
                .put(
                        "model",
                        JsonObject.builder()
                                .put("type", "BPE")
                                .put("ignore_merges", tokenizer.wholePieces())
                                .put("vocab", tokens.build())
                                .put("merges", Json.of(merges(tokenizer)))
                                .build())
                .build()
                .toString();
    }

    private static List<Json> merges(Tokenizer tokenizer) {
        Vocabulary vocabulary = tokenizer.vocabulary();
        List<Json> merges = new ArrayList<>();
        switch (tokenizer.rule()) {
            case MergeRule.ByPair pairs -> {
                for (int rank = 0; rank < pairs.size(); rank++) {
                    merges.add(merge(vocabulary, pairs.left(rank), pairs.right(rank)));
                }
            }
            case MergeRule.ByToken ignored -> {
                for (int id = 0; id < vocabulary.size(); id++) {
                    if (!vocabulary.has(id) || tokenizer.isSpecial(id)) {
                        continue;
                    }
                    int length = vocabulary.length(id);
                    byte[] bytes = Arrays.copyOf(vocabulary.bytes(id), length + Vocabulary.PADDING);
                    for (int cut = 1; cut < length; cut++) {
                        int left = vocabulary.find(bytes, 0, cut);
                        int right = vocabulary.find(bytes, cut, length);
                        if (left >= 0 && right >= 0) {
                            merges.add(merge(vocabulary, left, right));
                        }
                    }
                }
            }
        }
        return merges;
    }

    private static Json merge(Vocabulary vocabulary, int left, int right) {
        return Json.of(List.of(
                Json.of(ByteLevel.encode(vocabulary.bytes(left))), Json.of(ByteLevel.encode(vocabulary.bytes(right)))));
    }
}
