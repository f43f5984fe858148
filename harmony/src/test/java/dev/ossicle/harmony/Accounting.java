package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.harmony.Repair.Kind;
import dev.ossicle.harmony.internal.Utf8;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Follows a total parser and finds every token again: in a header that the strict parser reads the same, in the text
 * of a repair, or in the content of a message, byte for byte.
 */
final class Accounting {
    private final HarmonyParser parser;
    private @Nullable Role given;

    private final ByteArrayOutputStream header = new ByteArrayOutputStream();
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private String textBefore = ""; // that a complete header gave to the open message
    private byte[] textInHeader = {}; // the header without an end that its text began in
    private final List<String> badBytes = new ArrayList<>();

    private int repairsBefore;
    private int messagesBefore;

    private Accounting(@Nullable Role given) {
        parser = Wire.ENCODING.parser(given, ParseMode.TOTAL);
        this.given = given;
    }

    static void check(int[] tokens, @Nullable Role given) {
        Accounting accounting = new Accounting(given);
        for (int token : tokens) {
            accounting.step(token);
        }
        accounting.finish();
    }

    private void step(int token) {
        ParserState before = parser.state();
        repairsBefore = parser.repairs().size();
        messagesBefore = parser.messages().size();
        parser.process(token);
        boolean known = Wire.TOKENIZER.hasToken(token);
        byte[] bytes = known ? Wire.TOKENIZER.tokenBytes(token) : new byte[0];
        boolean ordinary = known && !Wire.TOKENIZER.isSpecial(token);
        boolean marker = token == Wire.CHANNEL || token == Wire.CONSTRAIN;
        if (before == ParserState.CONTENT) {
            if (ordinary) {
                content.writeBytes(bytes);
            } else if (token != Wire.END && token != Wire.CALL && token != Wire.RETURN) {
                assertThat(isReported()).isTrue();
            }
            if (parser.state() != ParserState.CONTENT) {
                endOfMessage();
            }
            if (token == Wire.CHANNEL) {
                header.writeBytes(bytes);
            }
            return;
        }
        if ((ordinary || marker) && !isReported()) {
            if (token == Wire.CHANNEL
                    && parser.state() == ParserState.HEADER
                    && headerRepairs().findAny().isPresent()) {
                endOfHeader();
            }
            header.writeBytes(bytes);
            if (parser.state() == ParserState.CONTENT) {
                endOfHeader();
            }
        } else if ((before == ParserState.HEADER && parser.state() != ParserState.HEADER)
                || token == Wire.MESSAGE
                || (token == Wire.START && headerRepairs().findAny().isPresent())) {
            endOfHeader();
        } else if (token != Wire.START) {
            assertThat(isReported()).isTrue();
        }
        if (token == Wire.START) {
            given = null;
        }
    }

    private void finish() {
        ParserState before = parser.state();
        repairsBefore = parser.repairs().size();
        messagesBefore = parser.messages().size();
        parser.finish();
        if (before == ParserState.CONTENT) {
            endOfMessage();
        } else if (before == ParserState.HEADER && (given == null || header.size() > 0)) {
            endOfHeader();
        }
        assertThat(header.size()).isZero();
        assertThat(content.size()).isZero();
        assertThat(parser.repairs().stream()
                        .filter(repair -> repair.kind() == Kind.INVALID_UTF8)
                        .map(Repair::text))
                .containsExactlyElementsOf(badBytes);
    }

    private Stream<Repair> newRepairs() {
        return parser.repairs().stream().skip(repairsBefore);
    }

    /** Whether the token itself was repaired. */
    private boolean isReported() {
        int last = parser.tokens().length - 1;
        return newRepairs().anyMatch(repair -> switch (repair.kind()) {
            case STRAY_TOKEN, UNKNOWN_TOKEN, MISSING_END -> repair.from() == last && repair.to() == last + 1;
            default -> false;
        });
    }

    private Stream<Repair> headerRepairs() {
        return newRepairs().filter(repair -> switch (repair.kind()) {
            case STRAY_TOKEN, UNKNOWN_TOKEN, MISSING_END, INVALID_UTF8 -> false;
            default -> true;
        });
    }

    private void endOfHeader() {
        byte[] bytes = header.toByteArray();
        header.reset();
        String text = Utf8.decodeLossy(bytes, 0, bytes.length);
        List<Repair> repairs = headerRepairs().toList();
        String found = "";
        for (Repair repair : repairs) {
            if (repair.kind() == Kind.TEXT_IN_HEADER) {
                found = repair.text();
                assertThat(found).isNotEmpty();
            } else {
                assertThat(repair.text()).isEqualTo(text);
            }
        }
        boolean open = parser.state() == ParserState.CONTENT;
        if (open && repairs.stream().allMatch(repair -> repair.kind() == Kind.MISSING_START)) {
            sameAsStrict(text);
        } else if (!isReported()) {
            assertThat(repairs).isNotEmpty();
        }
        boolean complete = parser.tokens().length > 0 && parser.tokens()[parser.tokens().length - 1] == Wire.MESSAGE;
        if (complete) {
            findBadBytes(bytes);
        }
        if (parser.messages().size() > messagesBefore) {
            Message apart = parser.messages().getLast();
            if (open) {
                assertThat(parser.recipient()).isNotNull();
                assertThat(apart.text()).isEqualTo(found);
                found = "";
            } else {
                textInHeader = found.isEmpty() ? new byte[0] : bytes;
                content(apart.text());
            }
        }
        textBefore = open && complete ? found : "";
        textInHeader = open && !complete && !found.isEmpty() ? bytes : new byte[0];
        given = null;
    }

    private void sameAsStrict(String text) {
        Header.Reading strict = Header.read(text, given, false);
        assertThat(strict.problem()).isNull();
        assertThat(new Header(
                        requireNonNull(parser.role()),
                        strict.header() == null ? null : strict.header().name(),
                        parser.channel(),
                        parser.recipient(),
                        parser.contentType()))
                .isEqualTo(strict.header());
    }

    private void endOfMessage() {
        assertThat(parser.messages()).hasSize(messagesBefore + 1);
        content(parser.messages().getLast().text());
    }

    /** The text of a message is what came of its tokens, behind some end of the header that it began in. */
    private void content(String text) {
        byte[] end = content.toByteArray();
        content.reset();
        for (int from = 0; from <= textInHeader.length; from++) {
            byte[] bytes = Arrays.copyOf(
                    Arrays.copyOfRange(textInHeader, from, textInHeader.length),
                    textInHeader.length - from + end.length);
            System.arraycopy(end, 0, bytes, textInHeader.length - from, end.length);
            if (Utf8.decodeLossy(bytes, 0, bytes.length)
                    .equals(text.substring(Math.min(textBefore.length(), text.length())))) {
                assertThat(text).startsWith(textBefore);
                findBadBytes(bytes);
                textBefore = "";
                textInHeader = new byte[0];
                return;
            }
        }
        assertThat(text).isEqualTo(textBefore + Utf8.decodeLossy(end, 0, end.length));
    }

    private void findBadBytes(byte[] bytes) {
        for (int at = 0; at < bytes.length; ) {
            int length = Utf8.sequence(bytes, at, bytes.length);
            if (length > 0) {
                at += length;
                continue;
            }
            int end = length == 0 ? bytes.length : at - length;
            badBytes.add(HexFormat.of().withUpperCase().formatHex(bytes, at, end));
            at = end;
        }
    }
}
