package dev.ossicle.harmony;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Strict and lenient; what vectors cannot say. */
class TestParser {
    private static HarmonyParser parser(@Nullable Role role, ParseMode mode) {
        return Wire.ENCODING.parser(role, mode);
    }

    private static void feed(HarmonyParser parser, String text) {
        for (int token : Wire.tokens(text)) {
            parser.process(token);
        }
    }

    @ParameterizedTest
    @EnumSource
    void showsWhatEachTokenDoes(ParseMode mode) {
        HarmonyParser parser = parser(null, mode);
        assertThat(parser.state()).isEqualTo(ParserState.EXPECT_START);
        assertThat(parser.role()).isNull();
        feed(parser, "<|start|>");
        assertThat(parser.state()).isEqualTo(ParserState.HEADER);
        assertThat(parser.role()).isNull();
        assertThat(parser.stateJson()).hasToString("{\"state\":\"Header\",\"header_tokens\":[]}");
        feed(parser, "assistant<|channel|>analysis to=python");
        assertThat(parser.role()).isNull();
        assertThat(parser.channel()).isNull();
        feed(parser, " code<|message|>");
        assertThat(parser.state()).isEqualTo(ParserState.CONTENT);
        assertThat(parser.role()).isEqualTo(Role.ASSISTANT);
        assertThat(parser.channel()).isEqualTo("analysis");
        assertThat(parser.recipient()).isEqualTo("python");
        assertThat(parser.contentType()).isEqualTo("code");
        assertThat(parser.delta()).isNull();
        assertThat(parser.content()).isEmpty();
        feed(parser, "print");
        assertThat(parser.delta()).isEqualTo("print");
        feed(parser, "(1)");
        assertThat(parser.content()).isEqualTo("print(1)");
        assertThat(parser.stateJson())
                .hasToString("{\"state\":\"Content\",\"header\":{\"author\":{\"role\":\"assistant\"},"
                        + "\"recipient\":\"python\",\"channel\":\"analysis\",\"content_type\":\"code\"},"
                        + "\"content_tokens\":[1598,7,16,8]}");
        assertThat(parser.messages()).isEmpty();
        feed(parser, "<|call|>");
        assertThat(parser.state()).isEqualTo(ParserState.EXPECT_START);
        assertThat(parser.stateJson()).hasToString("{\"state\":\"ExpectStart\"}");
        assertThat(parser.delta()).isNull();
        assertThat(parser.content()).isEmpty();
        assertThat(parser.role()).isNull();
        assertThat(parser.channel()).isNull();
        assertThat(parser.messages())
                .containsExactly(Message.of(Role.ASSISTANT, "print(1)")
                        .withChannel("analysis")
                        .withRecipient("python")
                        .withContentType("code"));
        parser.finish();
        assertThat(parser.tokens())
                .isEqualTo(
                        Wire.tokens("<|start|>assistant<|channel|>analysis to=python code<|message|>print(1)<|call|>"));
        assertThat(parser.repairs()).isEmpty();
    }

    @Test
    void aGivenRoleShowsFromTheStart() {
        HarmonyParser parser = parser(Role.ASSISTANT, ParseMode.STRICT);
        assertThat(parser.state()).isEqualTo(ParserState.HEADER);
        assertThat(parser.role()).isEqualTo(Role.ASSISTANT);
        feed(parser, "<|channel|>final<|message|>a<|end|><|start|>");
        assertThat(parser.role()).isNull();
    }

    /** The bytes of each token, and the delta after it: ␀ for none. */
    @ParameterizedTest
    @CsvSource({
        "20 F0 9F, ' |␀|␀', ' \uFFFD'",
        "F0 9F 99 82, ␀|␀|␀|🙂, 🙂",
        "F0 41, ␀|\uFFFD, \uFFFDA",
        "F0 41 42 43, ␀|\uFFFD|AB|C, \uFFFDABC",
        "ED A0 80, ␀|\uFFFD|\uFFFD, \uFFFD\uFFFD\uFFFD",
        "FF FE, \uFFFD|\uFFFD, \uFFFD\uFFFD",
        "E2 82 41, ␀|␀|\uFFFD, \uFFFDA",
        "41 C3, A|␀, A\uFFFD",
    })
    void bytesBecomeTextAsInTheReference(String bytes, String deltas, String content) {
        HarmonyParser parser = parser(Role.ASSISTANT, ParseMode.STRICT);
        feed(parser, "<|message|>");
        List<String> found = new ArrayList<>();
        for (String hex : bytes.split(" ", -1)) {
            parser.process(byteToken(Integer.parseInt(hex, 16)));
            found.add(parser.delta() == null ? "␀" : parser.delta());
        }
        feed(parser, "<|end|>");
        assertThat(parser.delta()).isNull();
        assertThat(String.join("|", found)).isEqualTo(deltas);
        assertThat(parser.messages().getFirst().text()).isEqualTo(content);
    }

    private static int byteToken(int value) {
        for (int token = 0; token < 256; token++) {
            byte[] bytes = Wire.TOKENIZER.tokenBytes(token);
            if (bytes.length == 1 && (bytes[0] & 0xFF) == value) {
                return token;
            }
        }
        throw new AssertionError("no token for " + value);
    }

    @Test
    void anUnknownTokenHidesTheRestOfItsMessage() {
        HarmonyParser parser = parser(Role.ASSISTANT, ParseMode.STRICT);
        feed(parser, "<|message|>a");
        parser.process(201_089);
        assertThat(parser.delta()).isNull();
        feed(parser, "b");
        assertThat(parser.delta()).isNull();
        feed(parser, "<|end|><|start|>assistant<|message|>c<|end|>");
        assertThat(parser.messages().stream().map(Message::text)).containsExactly("a\uFFFD", "c");
    }

    @Test
    void controlTokensInAContentAreText() {
        HarmonyEncoding.Parsed parsed = Wire.ENCODING.parse(
                Wire.tokens("<|message|>a<|start|>b<|channel|><|message|><|constrain|><|return|>"),
                Role.USER,
                ParseMode.STRICT);
        assertThat(parsed.messages())
                .containsExactly(Message.of(Role.USER, "a<|start|>b<|channel|><|message|><|constrain|>"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "assistant; ; Unexpected token 173781 while expecting start token 200006",
                "<|start|>assistant; ; Unexpected EOS while waiting for message header to complete",
                "''; ASSISTANT; Unexpected EOS while waiting for message header to complete",
                "<|channel|> final<|message|>; ASSISTANT; channel marker present but no channel value found in header",
                "<|channel|><|message|>; ASSISTANT; channel marker present but no channel value found in header",
                "<|start|>nobody<|message|>; ; Unknown role: nobody",
                "<|start|><|message|>; ; message header did not contain a role",
                "to=f to=f json<|message|>; ASSISTANT; unexpected tokens remaining in message header: Some(\"to=f\")",
                "a b c d<|message|>; ASSISTANT; unexpected tokens remaining in message header: Some(\"a b\")",
                "<|message|>a<|end|><|end|>; USER; Unexpected token 200007 while expecting start token 200006",
            })
    void strictErrorsSayWhatIsWrong(String text, @Nullable Role role, String message) {
        assertThatThrownBy(() -> Wire.ENCODING.parse(Wire.tokens(text), role, ParseMode.STRICT))
                .isInstanceOf(HarmonyException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "<|channel|>final <|constrain|>json<|message|>; ASSISTANT; assistant to=<|constrain|>json @final",
                "<|start|>tool<|message|>; ; tool:tool",
                "<|start|>to=functions.f<|channel|>analysis<|message|>; ; tool:to=functions.f @analysis",
                "<|start|>functions.f to=assistant<|message|>; ; tool:functions.f to=assistant",
                "to=assistant json<|message|>; TOOL; tool to=assistant [json]",
                "assistant final json<|message|>; ASSISTANT; assistant to=final [json]",
                "to=f<|channel|>commentary<|constrain|>json<|message|>; ASSISTANT; "
                        + "assistant to=f @commentary [<|constrain|>json]",
                "<|channel|>a<|channel|>b<|message|>; ASSISTANT; assistant to=<|channel|>b @a",
                "<|channel|>analysis to=<|end|>f<|message|>; ASSISTANT; assistant to=<|end|>f @analysis",
            })
    void strictReadsHeadersAsTheReference(String text, @Nullable Role role, String shown) {
        assertThat(Wire.show(Wire.ENCODING
                        .parse(Wire.tokens(text), role, ParseMode.STRICT)
                        .messages()
                        .getFirst()))
                .isEqualTo(shown + ": ");
    }

    @Test
    void aParserGoesOnAfterAnError() {
        HarmonyParser parser = parser(null, ParseMode.STRICT);
        assertThatThrownBy(() -> feed(parser, "<|start|>nobody<|message|>")).isInstanceOf(HarmonyException.class);
        assertThat(parser.state()).isEqualTo(ParserState.EXPECT_START);
        feed(parser, "<|start|>user<|message|>hi<|end|>");
        assertThat(parser.messages()).containsExactly(Message.of(Role.USER, "hi"));
    }

    @Test
    void lenientTakesAMessageThatEndsInItsHeader() {
        HarmonyParser parser = parser(Role.ASSISTANT, ParseMode.LENIENT);
        feed(parser, "<|channel|>analysis  We need\nto think<|end|>");
        assertThat(parser.messages())
                .containsExactly(Message.of(Role.ASSISTANT, "We need to think").withChannel("analysis"));
        assertThat(parser.state()).isEqualTo(ParserState.EXPECT_START);
        // Without a role that was given, the text is lost; so it is in the reference.
        feed(parser, "<|start|>assistant<|channel|>final text<|return|>");
        assertThat(parser.messages()).hasSize(1);
        feed(parser, "<|start|>assistant<|message|>b<|end|>");
        assertThat(parser.messages()).hasSize(2);
        assertThatThrownBy(() -> feed(parser, "b")).isInstanceOf(HarmonyException.class);
    }

    @Test
    void aHeaderThatIsNoTextIsAnError() {
        HarmonyParser parser = parser(Role.ASSISTANT, ParseMode.STRICT);
        parser.process(byteToken(0xFF));
        assertThatThrownBy(() -> parser.process(Wire.MESSAGE))
                .isInstanceOf(HarmonyException.class)
                .hasMessageStartingWith("could not decode header");
    }
}
