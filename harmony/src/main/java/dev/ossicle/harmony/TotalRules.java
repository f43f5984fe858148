package dev.ossicle.harmony;

import dev.ossicle.harmony.Repair.Kind;
import dev.ossicle.harmony.internal.Utf8;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Parses whatever comes: what is as Harmony has it gives the same messages as {@link ReferenceRules}, the rest is
 * repaired by the rules of {@code docs/harmony.md}.
 */
final class TotalRules implements ParserRules {
    /** So many words that no header explains make it a text. */
    private static final int TEXT_WORDS = 5;
    /** The same in chars, for text without spaces. */
    private static final int TEXT_CHARS = 256;
    /** The longest header, in chars; bounds the work on a hostile one. */
    private static final int HEADER_CHARS = 512;

    private final Tokenizer tokenizer;
    private final ControlTokens control;
    private final int endOfText;
    private final Progress progress;

    private int headerFrom; // the first token of the open header
    private boolean headerStarted; // whether it has its <|start|>

    TotalRules(Tokenizer tokenizer, ControlTokens control, Progress progress) {
        this.tokenizer = tokenizer;
        this.control = control;
        this.progress = progress;
        endOfText = tokenizer.special("<|endoftext|>").orElse(-1);
        headerStarted = true;
    }

    @Override
    public void process(int token) {
        progress.delta = null;
        if (!tokenizer.hasToken(token)) {
            repairedToken(Kind.UNKNOWN_TOKEN, Integer.toString(token));
            return;
        }
        boolean ends = control.isStop(token) || token == endOfText;
        switch (progress.state) {
            case EXPECT_START -> {
                if (token == control.start()) {
                    beginHeader(true);
                } else if (ends || isStray(token)) {
                    repairedToken(Kind.STRAY_TOKEN, tokenizer.decode(token));
                } else {
                    beginHeader(false);
                    inHeader(token, false);
                }
            }
            case HEADER -> inHeader(token, ends);
            case CONTENT -> inContent(token, ends);
        }
    }

    /** Special tokens that Harmony has no use for. */
    private boolean isStray(int token) {
        return tokenizer.isSpecial(token)
                && token != control.start()
                && token != control.channel()
                && token != control.message()
                && token != control.constrain()
                && !control.isStop(token);
    }

    private int last() {
        return progress.tokens.size() - 1;
    }

    private void repairedToken(Kind kind, String text) {
        progress.repaired(kind, last(), last() + 1, text);
    }

    /** The last token is {@code <|start|>}, or the first of the header. */
    private void beginHeader(boolean started) {
        progress.state = ParserState.HEADER;
        headerStarted = started;
        headerFrom = started ? last() + 1 : last();
    }

    private void inHeader(int token, boolean ends) {
        if (token == control.message()) {
            completeHeader();
        } else if (ends) {
            cutHeader(last(), true);
        } else if (token == control.start()) {
            cutHeader(last(), false);
            beginHeader(true);
        } else if (isStray(token)) {
            repairedToken(Kind.STRAY_TOKEN, tokenizer.decode(token));
        } else if (token == control.channel() && new OpenHeader().isText()) {
            cutHeader(last(), false);
            beginHeader(false);
            progress.headerTokens.add(token);
        } else if (token == control.constrain() && new OpenHeader().isText()) {
            repairedToken(Kind.STRAY_TOKEN, tokenizer.decode(token));
        } else {
            progress.headerTokens.add(token);
            OpenHeader open = new OpenHeader();
            if (open.isLong()) {
                // Half a character at its end may still become a whole one.
                open.report(last() + 1, Utf8.completeUpTo(open.bytes, open.bytes.length));
                leaveHeader(ParserState.CONTENT);
                progress.header = open.reading.header();
                progress.delta = progress.text.add(open.textBytes());
            }
        }
    }

    private void completeHeader() {
        byte[] bytes = tokenizer.decodeBytes(progress.headerTokens.toArray());
        String text = Utf8.decodeLossy(bytes, 0, bytes.length);
        reportBadBytes(bytes);
        Role given = progress.pendingRole;
        leaveHeader(ParserState.CONTENT);
        Header.Reading plain = Header.read(text, given, false);
        if (HeaderRepair.isPlausible(plain)) {
            reportHeader(Set.of(), last(), text, "");
            progress.header = plain.header();
            return;
        }
        HeaderRepair.Result repaired = HeaderRepair.complete(text, given);
        reportHeader(
                repaired.kinds().isEmpty() ? Set.of(Kind.REARRANGED_HEADER) : repaired.kinds(),
                last(),
                text,
                repaired.text());
        if (repaired.text().isEmpty()) {
            progress.header = repaired.header();
        } else if (repaired.header().recipient() == null) {
            progress.header = repaired.header();
            progress.delta = progress.text.add(Utf8.encode(repaired.text(), 0));
        } else {
            // It would spoil the arguments of a call.
            Header apart = new Header(repaired.header().role(), null, Message.ANALYSIS, null, null);
            progress.messages.add(apart.message(repaired.text()));
            progress.delta = repaired.text();
            progress.header = repaired.header();
        }
    }

    private void reportBadBytes(byte[] bytes) {
        TextDecoder decoder = new TextDecoder(progress::badBytes);
        decoder.add(bytes);
        decoder.end();
    }

    /** Ends a header that has no {@code <|message|>}. */
    private void cutHeader(int to, boolean byStop) {
        OpenHeader open = new OpenHeader();
        if (open.isText()) {
            open.report(to, open.bytes.length);
            progress.header = open.reading.header();
            progress.delta = progress.text.add(open.textBytes());
            leaveHeader(ParserState.CONTENT);
            endMessage();
            return;
        }
        if (byStop && open.reading.saysAnything()) {
            open.report(to, open.bytes.length);
            progress.messages.add(open.reading.header().message(""));
        } else if (byStop && open.header.isEmpty()) {
            repairedToken(Kind.STRAY_TOKEN, tokenizer.decode(progress.tokens.get(last())));
        } else {
            reportHeader(Set.of(Kind.UNFINISHED_HEADER), to, open.header, "");
        }
        leaveHeader(ParserState.EXPECT_START);
    }

    private void reportHeader(Set<Kind> kinds, int to, String header, String text) {
        if (!headerStarted) {
            progress.repaired(Kind.MISSING_START, headerFrom, to, header);
        }
        for (Kind kind : kinds) {
            progress.repaired(kind, headerFrom, to, kind == Kind.TEXT_IN_HEADER ? text : header);
        }
    }

    private void leaveHeader(ParserState next) {
        progress.headerTokens.clear();
        progress.pendingRole = null;
        progress.state = next;
    }

    private void inContent(int token, boolean ends) {
        if (control.isStop(token)) {
            endMessage();
        } else if (ends || token == control.start() || token == control.channel()) {
            repairedToken(Kind.MISSING_END, tokenizer.decode(token));
            endMessage();
            if (token == control.start()) {
                beginHeader(true);
            } else if (token == control.channel()) {
                beginHeader(false);
                progress.headerTokens.add(token);
            }
        } else if (tokenizer.isSpecial(token)) {
            repairedToken(Kind.STRAY_TOKEN, tokenizer.decode(token));
        } else {
            progress.delta = progress.text.add(tokenizer.tokenBytes(token));
        }
    }

    private void endMessage() {
        String tail = progress.text.end();
        if (tail != null) {
            progress.delta = progress.delta == null ? tail : progress.delta + tail;
        }
        if (progress.header != null) {
            progress.messages.add(progress.header.message(progress.text.toString()));
        }
        progress.text.clear();
        progress.header = null;
        progress.state = ParserState.EXPECT_START;
    }

    @Override
    public void finish() {
        progress.delta = null;
        switch (progress.state) {
            case EXPECT_START -> {}
            case HEADER -> {
                // Where the prompt began the header, nothing at all came of it.
                if (progress.pendingRole == null || progress.headerTokens.size() > 0) {
                    cutHeader(last() + 1, false);
                }
            }
            case CONTENT -> endMessage();
        }
    }

    /** What the tokens of the open header come to if no {@code <|message|>} follows. */
    private final class OpenHeader {
        final byte[] bytes = tokenizer.decodeBytes(progress.headerTokens.toArray());
        final String header = Utf8.decodeLossy(bytes, 0, bytes.length);
        final HeaderRepair.Result reading = HeaderRepair.incomplete(header, progress.pendingRole);

        boolean isText() {
            return reading.textFrom() >= 0;
        }

        boolean isLong() {
            return reading.words() > TEXT_WORDS
                    || reading.text().length() > TEXT_CHARS
                    || header.length() > HEADER_CHARS;
        }

        /** The text runs to the end of the header, and what is before it is valid. */
        byte[] textBytes() {
            return Arrays.copyOfRange(bytes, textStart(), bytes.length);
        }

        private int textStart() {
            return isText() ? Utf8.encode(header.substring(0, reading.textFrom()), 0).length : bytes.length;
        }

        void report(int to, int textEnd) {
            Set<Kind> kinds = EnumSet.of(Kind.MISSING_MESSAGE);
            kinds.addAll(reading.kinds());
            reportHeader(kinds, to, header, Utf8.decodeLossy(bytes, textStart(), textEnd));
        }
    }
}
