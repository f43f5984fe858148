package dev.ossicle.harmony.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.ossicle.harmony.internal.Utf8;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestO200kHarmony {
    private static final Tokenizer TOKENIZER = Tokenizer.o200kHarmony();
    private static final Encoding JTOKKIT = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void equalsJtokkitOnMixedText(long seed) {
        String text = MixedText.of(new SplittableRandom(seed), 20_000);
        assertThat(TOKENIZER.encodeOrdinary(text))
                .as("seed %d", seed)
                .isEqualTo(JTOKKIT.encodeOrdinary(text).toArray());
        assertThat(TOKENIZER.decodeUtf8(TOKENIZER.encodeOrdinary(text)))
                .as("seed %d", seed)
                .isEqualTo(text);
    }

    @Test
    void equalsJtokkitOnShortTexts() {
        for (long seed = 0; seed < 3_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            String text = random.nextBoolean()
                    ? MixedText.of(random, random.nextInt(1, 5))
                    : MixedText.unicode(random, random.nextInt(1, 9));
            assertThat(TOKENIZER.encodeOrdinary(text))
                    .as("seed %d", seed)
                    .isEqualTo(JTOKKIT.encodeOrdinary(text).toArray());
        }
    }

    @Test
    void equalsJtokkitOnLongPieces() {
        SplittableRandom random = new SplittableRandom(7);
        for (int length : new int[] {94, 95, 96, 97, 98, 128, 129, 1000, 5000}) {
            StringBuilder letters = new StringBuilder();
            for (int i = 0; i < length; i++) {
                letters.append((char) random.nextInt('a', 'z' + 1));
            }
            for (String text : new String[] {
                letters.toString(), "a".repeat(length), " ".repeat(length), "=".repeat(length), "漢".repeat(length)
            }) {
                assertThat(TOKENIZER.encodeOrdinary(text))
                        .as("length %d, %s", length, text)
                        .isEqualTo(JTOKKIT.encodeOrdinary(text).toArray());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "ab", " ", "\n", "\t \n", "=", "漢字", "🙂", "\u0301", "A"})
    void longPiecesKeepTheirBytes(String unit) {
        String text = unit.repeat(300_000 / unit.length());
        assertThat(TOKENIZER.decodeUtf8(TOKENIZER.encodeOrdinary(text))).isEqualTo(text);
    }

    @Test
    void theVocabularyIsThePinnedFile() throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(O200k.read());
        assertThat(HexFormat.of().formatHex(digest)).isEqualTo(O200k.SHA256);
    }

    @Test
    void anEmptyTextHasNoTokens() {
        assertThat(TOKENIZER.encodeOrdinary("")).isEmpty();
        assertThat(TOKENIZER.encode("", Set.of())).isEmpty();
        assertThat(TOKENIZER.decodeUtf8()).isEmpty();
    }

    @Test
    void anUnpairedSurrogateCountsAsTheReplacementCharacter() {
        for (String text : new String[] {"\uD83D", "a\uDE42b", "\uDE42\uD83D", "\uD83D\uD83D\uDE42"}) {
            String replaced = new String(text.getBytes(StandardCharsets.UTF_16), StandardCharsets.UTF_16);
            assertThat(replaced).contains("\uFFFD");
            assertThat(TOKENIZER.encodeOrdinary(text)).isEqualTo(TOKENIZER.encodeOrdinary(replaced));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "<|startoftext|>, 199998",
        "<|endoftext|>, 199999",
        "<|reserved_200000|>, 200000",
        "<|return|>, 200002",
        "<|constrain|>, 200003",
        "<|channel|>, 200005",
        "<|start|>, 200006",
        "<|end|>, 200007",
        "<|message|>, 200008",
        "<|reserved_200011|>, 200011",
        "<|call|>, 200012",
        "<|reserved_200018|>, 200018",
        "<|reserved_201088|>, 201088"
    })
    void specialTokensHaveNames(String name, int id) {
        assertThat(TOKENIZER.special(name)).hasValue(id);
        assertThat(TOKENIZER.isSpecial(id)).isTrue();
        assertThat(TOKENIZER.decodeUtf8(id)).isEqualTo(name);
        assertThat(TOKENIZER.encode(name, Set.of(name))).containsExactly(id);
        assertThat(TOKENIZER.encodeOrdinary(name)).hasSizeGreaterThan(1).doesNotContain(id);
    }

    @Test
    void knowsWhatIsNotSpecial() {
        assertThat(TOKENIZER.specialNames()).hasSize(1091);
        assertThat(TOKENIZER.vocabularySize()).isEqualTo(201_089);
        assertThat(TOKENIZER.special("<|endofprompt|>")).isEmpty();
        assertThat(TOKENIZER.isSpecial(199_997)).isFalse();
        assertThat(TOKENIZER.isSpecial(201_089)).isFalse();
        assertThat(TOKENIZER.isSpecial(-1)).isFalse();
    }

    @Test
    void literalsStandForTokensOnlyWhereAllowed() {
        String text = "a<|start|>b<|end|>c";
        assertThatThrownBy(() -> TOKENIZER.encode(text, Set.of("<|end|>")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("Encountered text corresponding to disallowed special token '<|start|>'.");
        int[] mixed = TOKENIZER.encode(text, Set.of("<|end|>"), Set.of());
        assertThat(mixed).contains(200_007).doesNotContain(200_006);
        assertThat(TOKENIZER.decodeUtf8(mixed)).isEqualTo(text);
        assertThat(TOKENIZER.encode(text, Set.of(), Set.of())).isEqualTo(TOKENIZER.encodeOrdinary(text));
        assertThat(TOKENIZER.encode(text, Set.of("<|start|>", "<|end|>")))
                .containsExactly(64, 200_006, 65, 200_007, 66);
        assertThatThrownBy(() -> TOKENIZER.encode(text, Set.of("<|nothing|>")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("<|nothing|>");
    }

    @Test
    void aSegmentBetweenSpecialTokensEndsLikeAText() {
        // The white space before the special token is one piece, as at the end of a text.
        assertThat(TOKENIZER.encode("a   <|end|>b", Set.of("<|end|>")))
                .startsWith(TOKENIZER.encodeOrdinary("a   "))
                .endsWith(200_007, 65);
    }

    @Test
    void decodingNamesWhatIsWrong() {
        assertThatThrownBy(() -> TOKENIZER.decodeBytes(1, 201_089))
                .isInstanceOf(TokenizerException.class)
                .hasMessage("Invalid token for decoding: 201089");
        assertThatThrownBy(() -> TOKENIZER.decodeUtf8(-1))
                .isInstanceOf(TokenizerException.class)
                .hasMessage("Could not decode tokens: Invalid token error: Invalid token for decoding: -1");
        int[] bismillah = TOKENIZER.encodeOrdinary("\uFDFD");
        assertThat(bismillah).hasSize(3);
        int[] cut = {bismillah[0], bismillah[1]};
        assertThatThrownBy(() -> TOKENIZER.decodeUtf8(cut))
                .isInstanceOf(TokenizerException.class)
                .hasMessage(
                        "Could not decode tokens: Invalid utf-8 sequence: incomplete utf-8 byte sequence from index 0");
        assertThat(TOKENIZER.decode(cut)).isEqualTo("\uFFFD");
    }

    @Test
    void everyTokenDecodesToItsBytes() {
        int invalid = 0;
        for (int id = 0; id < TOKENIZER.vocabularySize(); id++) {
            byte[] bytes = TOKENIZER.tokenBytes(id);
            assertThat(TOKENIZER.decodeBytes(id)).isEqualTo(bytes);
            if (Utf8.problem(bytes) != null) {
                invalid++;
            }
        }
        assertThat(invalid).isEqualTo(1562);
    }
}
