package dev.ossicle.harmony;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.harmony.tokenizer.TokenizerException;
import org.jspecify.annotations.Nullable;

/** Parses as OpenAI's library 0.0.8 does, errors and oddities included. */
final class ReferenceRules implements ParserRules {
    private final Tokenizer tokenizer;
    private final ControlTokens control;
    private final boolean strict;
    private final Progress progress;

    ReferenceRules(Tokenizer tokenizer, ControlTokens control, boolean strict, Progress progress) {
        this.tokenizer = tokenizer;
        this.control = control;
        this.strict = strict;
        this.progress = progress;
    }

    @Override
    public void process(int token) {
        switch (progress.state) {
            case EXPECT_START -> {
                if (token != control.start()) {
                    throw new HarmonyException(
                            "Unexpected token " + token + " while expecting start token " + control.start());
                }
                progress.state = ParserState.HEADER;
            }
            case HEADER -> inHeader(token);
            case CONTENT -> inContent(token);
        }
    }

    private void inHeader(int token) {
        Role role = progress.pendingRole;
        if (token == control.message()) {
            progress.header = read(endHeader(), role, false).header();
            progress.state = ParserState.CONTENT;
        } else if (strict || !control.isStop(token)) {
            progress.headerTokens.add(token);
        } else if (role == null || progress.headerTokens.size() == 0) {
            leaveHeader();
        } else {
            Header.Reading reading = read(endHeader(), role, true);
            if (reading.header() != null) {
                progress.messages.add(reading.header().message(reading.text()));
            }
        }
    }

    /** The text of the header, which is over whether it can be read or not. */
    private String endHeader() {
        int[] tokens = progress.headerTokens.toArray();
        leaveHeader();
        try {
            return tokenizer.decodeUtf8(tokens);
        } catch (TokenizerException e) {
            throw new HarmonyException("could not decode header: " + e.getMessage(), e);
        }
    }

    private void leaveHeader() {
        progress.headerTokens.clear();
        progress.pendingRole = null;
        progress.state = ParserState.EXPECT_START;
    }

    private static Header.Reading read(String text, @Nullable Role role, boolean lenient) {
        Header.Reading reading = Header.read(text, role, lenient);
        if (reading.problem() != null) {
            throw new HarmonyException(reading.problem());
        }
        return reading;
    }

    private void inContent(int token) {
        if (control.isStop(token)) {
            endMessage();
        } else {
            progress.delta = tokenizer.hasToken(token)
                    ? progress.text.add(tokenizer.tokenBytes(token))
                    : progress.text.addUnknown();
        }
    }

    private void endMessage() {
        progress.text.end();
        if (progress.header != null) {
            progress.messages.add(progress.header.message(progress.text.toString()));
        }
        progress.text.clear();
        progress.header = null;
        progress.delta = null;
        progress.state = ParserState.EXPECT_START;
    }

    @Override
    public void finish() {
        switch (progress.state) {
            case EXPECT_START -> {}
            case HEADER -> throw new HarmonyException("Unexpected EOS while waiting for message header to complete");
            case CONTENT -> endMessage();
        }
    }
}
