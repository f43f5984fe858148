package dev.ossicle.harmony.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A tokenizer file is untrusted: whatever is in it, reading ends in a tokenizer that works or in a TokenizerException. */
class TestMutatedTokenizers {
    private static final String TEXT = "Hello, wörld! 123 <|end|>\n\t 漢字 🙂 don't";

    @Test
    void textMutationsOfTokenizerJson() {
        String json = tokenizer().toTokenizerJson();
        for (long seed = 0; seed < 3_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder(json);
            for (int edits = random.nextInt(1, 5); edits > 0; edits--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(4)) {
                    case 0 -> text.setCharAt(at, (char) random.nextInt(32, 127));
                    case 1 -> text.deleteCharAt(at);
                    case 2 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(30))));
                    default -> text.setLength(Math.max(1, at));
                }
            }
            check(text.toString(), seed);
        }
    }

    @Test
    void structuralMutationsOfTokenizerJson() {
        JsonObject json = (JsonObject) Json.parse(tokenizer().toTokenizerJson());
        for (long seed = 0; seed < 3_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            check(mutated(json, random, 0).toString(), seed);
        }
    }

    /** Replaces, drops or repeats something somewhere below. */
    private static Json mutated(Json json, SplittableRandom random, int depth) {
        if (depth > 0 && random.nextInt(depth > 3 ? 2 : 6) == 0) {
            return random(random);
        }
        return switch (json) {
            case JsonObject object when !object.members().isEmpty() -> {
                JsonObject.Builder out = JsonObject.builder();
                int chosen = random.nextInt(object.members().size());
                int index = 0;
                for (var member : object.members().entrySet()) {
                    if (index++ == chosen) {
                        if (random.nextInt(8) != 0) {
                            out.put(member.getKey(), mutated(member.getValue(), random, depth + 1));
                        }
                    } else {
                        out.put(member.getKey(), member.getValue());
                    }
                }
                yield out.build();
            }
            case JsonArray array when array.size() > 0 -> {
                List<Json> out = new ArrayList<>(array.elements());
                int chosen = random.nextInt(out.size());
                switch (random.nextInt(4)) {
                    case 0 -> out.remove(chosen);
                    case 1 -> out.add(out.get(chosen));
                    default -> out.set(chosen, mutated(out.get(chosen), random, depth + 1));
                }
                yield new JsonArray(out);
            }
            default -> random(random);
        };
    }

    private static Json random(SplittableRandom random) {
        return switch (random.nextInt(9)) {
            case 0 -> JsonNull.NULL;
            case 1 -> Json.of(random.nextBoolean());
            case 2 -> Json.of(random.nextInt(-2, 400));
            case 3 -> Json.of(random.nextLong());
            case 4 -> Json.of(random.nextDouble() * 1e300);
            case 5 -> Json.of("");
            case 6 -> Json.of("(a+)+$[");
            case 7 -> Json.of("<|end|> ");
            default -> random.nextBoolean() ? JsonArray.EMPTY : JsonObject.EMPTY;
        };
    }

    private static void check(String json, long seed) {
        try {
            works(Tokenizer.fromTokenizerJson(json));
        } catch (TokenizerException e) {
            assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** Whatever it encodes, it decodes; a vocabulary that lost bytes may refuse a text, with a word about it. */
    private static void works(Tokenizer tokenizer) {
        int[] tokens = tokenizer.encodeOrdinary(TEXT);
        for (int token : tokens) {
            assertThat(tokenizer.hasToken(token)).isTrue();
            assertThat(tokenizer.isSpecial(token)).isFalse();
        }
        tokenizer.decode(tokens);
    }

    @Test
    void mutationsOfAGgufVocabulary() {
        for (long seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<String> tokens = new ArrayList<>();
            int printable = 0;
            for (int value = 0; value < 256; value++) {
                boolean shown = (value >= '!' && value <= '~') || (value >= 0xA1 && value != 0xAD);
                tokens.add(String.valueOf((char) (shown ? value : 256 + printable++)));
            }
            tokens.addAll(List.of("he", "ll", "hell", "<|end|>"));
            int[] types = new int[tokens.size()];
            Arrays.fill(types, 1);
            types[types.length - 1] = 3;
            List<String> merges = new ArrayList<>(List.of("h e", "l l", "he ll"));
            for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
                switch (random.nextInt(5)) {
                    case 0 -> tokens.set(random.nextInt(tokens.size()), random.nextBoolean() ? "" : "zz\u0000\ud800");
                    case 1 -> tokens.remove(random.nextInt(tokens.size()));
                    case 2 -> types[random.nextInt(types.length)] = random.nextInt(-1, 9);
                    case 3 -> merges.set(random.nextInt(merges.size()), random.nextBoolean() ? "x" : "no such");
                    default -> types = Arrays.copyOf(types, random.nextInt(types.length + 5));
                }
                if (types.length == 0) {
                    types = new int[1];
                }
            }
            try {
                works(Tokenizer.fromGguf(tokens, types, merges));
            } catch (TokenizerException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int value = 0; value < 256; value++) {
            builder.token(value, new byte[] {(byte) value});
        }
        return builder.token(256, "he".getBytes(StandardCharsets.UTF_8))
                .token(257, "ll".getBytes(StandardCharsets.UTF_8))
                .token(258, "hell".getBytes(StandardCharsets.UTF_8))
                .merge('h', 'e')
                .merge('l', 'l')
                .merge(256, 257)
                .special("<|start|>", 259)
                .special("<|end|>", 260)
                .build();
    }
}
