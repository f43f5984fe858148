package dev.ossicle.cli;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;
import dev.ossicle.cli.terminal.Harmless;
import java.io.PrintWriter;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** For people: the answer to standard output as it is, all else dim and labelled to standard error. */
final class PlainWriter implements Consumer<ChatEvent> {
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean hideReasoning;
    private @Nullable Progress reading;

    /** What the last line on either stream belongs to; null at the beginning of a line. */
    private @Nullable Class<? extends ChatEvent> open;

    private boolean answered;

    /** What programs read is passed on as it is, what people read cannot steer their terminal. */
    private final boolean harmless;

    PlainWriter(PrintWriter out, PrintWriter err, boolean hideReasoning) {
        this(out, err, hideReasoning, Terminal.OUTPUT);
    }

    PlainWriter(PrintWriter out, PrintWriter err, boolean hideReasoning, boolean harmless) {
        this.harmless = harmless;
        this.out = out;
        this.err = err;
        this.hideReasoning = hideReasoning;
    }

    @Override
    public void accept(ChatEvent event) {
        if (!(event instanceof Reading) && reading != null) {
            reading.end();
            reading = null;
        }
        if (event instanceof ChatEvent.Calling) {
            return; // it is shown when it is complete
        }
        if (open != null && open != event.getClass()) {
            endLine();
        }
        switch (event) {
            case Reading progress -> {
                if (reading == null) {
                    reading = new Progress(err, "prompt tokens", progress.promptTokens());
                }
                reading.update(progress.tokens(), progress.promptTokens());
            }
            case Reasoning reasoning -> {
                if (!hideReasoning) {
                    aside("reasoning: ", reasoning.text(), Reasoning.class);
                }
            }
            case Text text -> {
                // A preamble is meant for the user too.
                out.print(harmless ? Harmless.text(text.text()) : text.text());
                out.flush();
                open = Text.class;
                answered = true;
            }
            case ChatEvent.Calling ignored -> {}
            case ToolCall call -> aside("call: ", call.name() + " " + call.arguments(), ToolCall.class);
            case ToolResult result -> aside("result: ", result.output(), ToolResult.class);
            case Done done -> end(done);
        }
    }

    private void aside(String label, String text, Class<? extends ChatEvent> kind) {
        err.print(Terminal.dim(Harmless.text(open == null ? label + text : text)));
        err.flush();
        open = kind;
    }

    private void endLine() {
        if (open == Text.class) {
            out.println();
            out.flush();
        } else {
            err.println();
        }
        open = null;
    }

    private void end(Done done) {
        switch (done.finish()) {
            case STOP -> {
                if (!answered) {
                    err.println("ossicle: the model ended without an answer; what it said is above");
                }
            }
            case LENGTH ->
                err.println("ossicle: cut after " + done.usage().completionTokens()
                        + " tokens (--max-tokens); the answer is not complete");
            case CONTEXT -> err.println("ossicle: the model's context is full; the answer is not complete");
            case CANCELLED -> err.println("ossicle: stopped");
            case TIME -> err.println("ossicle: the time is over; the answer is not complete");
            case ROUNDS -> err.println("ossicle: too many rounds of calls; there is no answer");
        }
    }
}
