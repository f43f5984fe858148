package dev.ossicle.harmony.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.harmony.internal.Utf8;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestTokenizerJson {
    private static final String SMALL = """
            {"added_tokens": [{"id": 9, "content": "<|end|>", "special": true, "lstrip": false}],
             "normalizer": null,
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
               {"type": "Split", "pattern": {"Regex": "\\\\w+|\\\\s+"}, "behavior": "Isolated", "invert": false},
               {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
             "post_processor": {"type": "ByteLevel"},
             "model": {"type": "BPE", "dropout": null, "ignore_merges": false,
               "vocab": {"a": 0, "b": 1, "c": 2, "Ġ": 3, "bc": 4, "ab": 5, "abc": 6, "Ã": 7, "©": 8, "<|end|>": 9},
               "merges": ["b c", ["a", "b"], "ab c"]}}
            """;

    @Test
    void readsASmallOne() {
        Tokenizer tokenizer = Tokenizer.fromTokenizerJson(SMALL);
        assertThat(tokenizer.vocabularySize()).isEqualTo(10);
        assertThat(tokenizer.special("<|end|>")).hasValue(9);
        // "abc" is a token that its bytes do not merge to: "b c" goes first and "a bc" is no merge.
        assertThat(tokenizer.encodeOrdinary("abc")).containsExactly(0, 4);
        assertThat(tokenizer.encodeOrdinary("abc")).containsExactly(0, 4);
        assertThat(tokenizer.encodeOrdinary("ab a")).containsExactly(5, 3, 0);
        assertThat(tokenizer.encodeOrdinary("é")).containsExactly(7, 8);
        assertThat(tokenizer.encode("ab<|end|>", Set.of("<|end|>"))).containsExactly(5, 9);
        assertThatThrownBy(() -> tokenizer.encodeOrdinary("abd"))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("no token for byte 0x64 at offset 2");
    }

    @Test
    void ignoreMergesTakesWholePiecesFirst() {
        Tokenizer tokenizer =
                Tokenizer.fromTokenizerJson(SMALL.replace("\"ignore_merges\": false", "\"ignore_merges\": true"));
        assertThat(tokenizer.encodeOrdinary("abc")).containsExactly(6);
        assertThat(tokenizer.encodeOrdinary("abcbc")).containsExactly(0, 4, 4);
    }

    @Test
    void aByteLevelAloneSplitsAsGpt2Did() {
        String json = SMALL.replaceAll(
                "(?s)\"pre_tokenizer\".*\"post_processor\"",
                "\"pre_tokenizer\": " + "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}, \"post_processor\"");
        Tokenizer tokenizer = Tokenizer.fromTokenizerJson(json);
        assertThat(TestSplitter.pieces(new RegexSplitter(tokenizer.splitPattern()), "it's  a 12!"))
                .containsExactly("it", "'s", " ", " a", " 12", "!");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "\"normalizer\": null ; \"normalizer\": {\"type\":\"NFC\"} ; normalizer is {\"type\":\"NFC\"}, expected null",
                "\"type\": \"BPE\" ; \"type\": \"WordPiece\" ; model.type is \"WordPiece\", expected \"BPE\"",
                "\"dropout\": null ; \"dropout\": 0.1 ; model.dropout is 0.1",
                "\"dropout\": null ; \"byte_fallback\": true ; model.byte_fallback",
                "\"dropout\": null ; \"end_of_word_suffix\": \"</w>\" ; model.end_of_word_suffix",
                "\"Split\" ; \"Digits\" ; pre_tokenizer.pretokenizers[0].type is \"Digits\", expected \"Split\"",
                "\"Isolated\" ; \"Removed\" ; behavior",
                "\"Regex\" ; \"String\" ; expected a Regex",
                "\"ByteLevel\", \"add ; \"Metaspace\", \"add ; pretokenizers[1].type",
                "\"add_prefix_space\": false ; \"add_prefix_space\": true ; add_prefix_space",
                "\"use_regex\": false ; \"use_regex\": true ; use_regex",
                "\"lstrip\": false ; \"lstrip\": true ; added_tokens[0].lstrip is true",
                "\"content\": \"<|end|>\" ; \"content\": 7 ; added_tokens[0].content is 7, expected a string",
                "\"a\": 0 ; \"a\": -1 ; token id -1 is out of range",
                "\"a\": 0 ; \"a\": 999999999 ; out of range",
                "\"a\": 0 ; \"a\": 1 ; two tokens have the id 1",
                "\"c\": 2 ; \"▁c\": 2 ; model.vocab[▁c] is not in byte-to-unicode form",
                "\"ab c\" ; \"abc\" ; model.merges[2] is \"abc\"",
                "\"ab c\" ; \"ab d\" ; model.merges[2]",
                "\"ab c\" ; \"c c\" ; merge 2, of the tokens 2 and 2, makes no token",
                "}} ; } ; not JSON",
            })
    void whatIsNotUnderstoodIsAnError(String was, String is, String message) {
        String json = SMALL.replace(was, is);
        assertThat(json).isNotEqualTo(SMALL);
        assertThatThrownBy(() -> Tokenizer.fromTokenizerJson(json))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("tokenizer.json: ")
                .hasMessageContaining(message);
    }

    /** Merges are written for every split of every token, as published files have it. */
    @Test
    void o200kSurvivesTheTripThroughAFile() {
        Tokenizer original = Tokenizer.o200kHarmony();
        String json = original.toTokenizerJson();
        // The published file says false; then nothing but merges makes a token.
        Tokenizer read =
                Tokenizer.fromTokenizerJson(json.replaceFirst("\"ignore_merges\":true", "\"ignore_merges\":false"));
        assertThat(((MergeRule.ByPair) read.rule()).size()).isEqualTo(446_189);
        assertThat(read.specialNames()).isEqualTo(original.specialNames());
        assertThat(read.splitPattern()).isEqualTo(original.splitPattern());
        for (long seed = 1; seed < 4; seed++) {
            String text = MixedText.of(new SplittableRandom(seed), 20_000);
            assertThat(read.encodeOrdinary(text)).as("seed %d", seed).isEqualTo(original.encodeOrdinary(text));
        }
    }

    @Test
    void aGgufVocabularyGivesTheSameTokens() {
        Tokenizer original = Tokenizer.o200kHarmony();
        List<String> tokens = new ArrayList<>();
        int[] types = new int[201_088];
        for (int id = 0; id < types.length; id++) {
            boolean special = original.isSpecial(id);
            types[id] = special ? id < 200_020 ? 3 : 5 : 1;
            tokens.add(special ? original.decode(id) : ByteLevel.encode(original.tokenBytes(id)));
        }
        Tokenizer read = Tokenizer.fromGguf(tokens, types, List.of());
        assertThat(read.special("<|start|>")).hasValue(200_006);
        assertThat(read.hasToken(201_000)).isFalse();
        String text = MixedText.of(new SplittableRandom(11), 10_000);
        assertThat(read.encodeOrdinary(text)).isEqualTo(original.encodeOrdinary(text));

        types[5] = 9;
        assertThatThrownBy(() -> Tokenizer.fromGguf(tokens, types, List.of()))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.ggml.token_type[5] is 9");
        assertThatThrownBy(() -> Tokenizer.fromGguf(tokens, new int[3], List.of()))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("token_type has 3 entries");
    }

    @Test
    void ggufMergesAreTwoTokensWithASpaceBetween() {
        List<String> tokens = List.of("a", "b", "ab", "<|end|>");
        int[] types = {1, 1, 1, 3};
        Tokenizer tokenizer = Tokenizer.fromGguf(tokens, types, List.of("a b"));
        assertThat(tokenizer.encodeOrdinary("aab")).containsExactly(0, 2);
        assertThatThrownBy(() -> Tokenizer.fromGguf(tokens, types, List.of("a x")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.ggml.merges[0]");
    }

    /** A vocabulary of bytes and random merges: both ways of merging, short and long pieces, against plain loops. */
    @Test
    void bothWaysOfMergingEqualAPlainLoop() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Tokenizer.Builder builder = Tokenizer.builder().splitPattern("(?s).+");
            List<String> tokens = new ArrayList<>(List.of("a", "b", "c"));
            List<int[]> merges = new ArrayList<>();
            for (int n = random.nextInt(1, 20); n > 0; n--) {
                int left = random.nextInt(tokens.size());
                int right = random.nextInt(tokens.size());
                String merged = tokens.get(left) + tokens.get(right);
                if (!tokens.contains(merged) && merged.length() < 20) {
                    merges.add(new int[] {left, right, tokens.size()});
                    tokens.add(merged);
                }
            }
            for (int id = 0; id < tokens.size(); id++) {
                builder.token(id, Utf8.encode(tokens.get(id), 0));
            }
            Tokenizer byToken = builder.build();
            merges.forEach(merge -> builder.merge(merge[0], merge[1]));
            Tokenizer byPair = builder.build();
            Tokenizer copy = Tokenizer.fromTokenizerJson(byPair.toTokenizerJson());
            for (int length : new int[] {1, 2, 3, 10, 95, 96, 97, 98, 300}) {
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < length; i++) {
                    text.append((char) ('a' + random.nextInt(3)));
                }
                assertThat(byToken.encodeOrdinary(text.toString()))
                        .as("seed %d, by token: %s", seed, text)
                        .isEqualTo(plainByToken(text.toString(), tokens));
                int[] expected = plainByPair(text.toString(), tokens, merges);
                assertThat(byPair.encodeOrdinary(text.toString()))
                        .as("seed %d, by pair: %s", seed, text)
                        .isEqualTo(expected);
                assertThat(copy.encodeOrdinary(text.toString()))
                        .as("seed %d, copy: %s", seed, text)
                        .isEqualTo(expected);
            }
        }
    }

    private static int[] plainByToken(String text, List<String> tokens) {
        if (tokens.contains(text)) {
            return new int[] {tokens.indexOf(text)};
        }
        List<String> parts = new ArrayList<>(Arrays.asList(text.split("")));
        while (true) {
            int best = -1;
            int rank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int id = tokens.indexOf(parts.get(i) + parts.get(i + 1));
                if (id >= 0 && id < rank) {
                    rank = id;
                    best = i;
                }
            }
            if (best < 0) {
                return parts.stream().mapToInt(tokens::indexOf).toArray();
            }
            parts.set(best, tokens.get(rank));
            parts.remove(best + 1);
        }
    }

    private static int[] plainByPair(String text, List<String> tokens, List<int[]> merges) {
        List<Integer> parts = new ArrayList<>();
        text.chars().forEach(c -> parts.add(tokens.indexOf(Character.toString(c))));
        while (true) {
            int at = -1;
            int[] found = {};
            for (int[] merge : merges) {
                for (int i = 0; i + 1 < parts.size() && at < 0; i++) {
                    if (parts.get(i) == merge[0] && parts.get(i + 1) == merge[1]) {
                        at = i;
                        found = merge;
                    }
                }
                if (at >= 0) {
                    break;
                }
            }
            if (at < 0) {
                return parts.stream().mapToInt(Integer::intValue).toArray();
            }
            parts.set(at, found[2]);
            parts.remove(/* index */ at + 1);
        }
    }
}
