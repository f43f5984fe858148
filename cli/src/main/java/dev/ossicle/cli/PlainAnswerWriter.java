package dev.ossicle.cli;

import dev.ossicle.engine.GenerationEvent.Done;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** For people: the answer to standard output as it is, all else dim and labelled to standard error. */
final class PlainAnswerWriter implements AnswerWriter {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean hideReasoning;
    private boolean inMessage;
    private boolean answered;

    PlainAnswerWriter(PrintWriter out, PrintWriter err, boolean hideReasoning) {
        this.out = out;
        this.err = err;
        this.hideReasoning = hideReasoning;
    }

    @Override
    public void text(String channel, @Nullable String recipient, String text) {
        if (recipient != null) {
            aside("call of " + recipient, text);
        } else if (channel.equals("analysis")) {
            if (!hideReasoning) {
                aside("reasoning", text);
            }
        } else {
            // "commentary" without a recipient is a preamble that is meant for the user.
            out.print(text);
            out.flush();
            answered = true;
        }
        inMessage = true;
    }

    private void aside(String label, String text) {
        err.print(Terminal.dim(inMessage ? text : label + ": " + text));
        err.flush();
        asideOpen = true;
    }

    private boolean asideOpen;

    @Override
    public void endOfMessage() {
        if (asideOpen) {
            err.println();
            asideOpen = false;
        } else if (inMessage) {
            out.println();
            out.flush();
        }
        inMessage = false;
    }

    @Override
    public void end(Done done) {
        if (inMessage) {
            endOfMessage();
        }
        switch (done.finish()) {
            case STOP -> {
                if (!answered) {
                    err.println("ossicle: the model ended without an answer; what it said is above");
                }
            }
            case LENGTH -> err.println("ossicle: cut after " + done.timings().tokens()
                    + " tokens (--max-tokens); the answer is not complete");
            case CONTEXT -> err.println("ossicle: the model's context is full; the answer is not complete");
            case CANCELLED -> err.println("ossicle: stopped");
        }
    }
}
