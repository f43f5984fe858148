package dev.ossicle.cli.terminal;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Calling;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jspecify.annotations.Nullable;

/** One answer on a screen, as it comes. */
final class AnswerView implements Consumer<ChatEvent> {
    /** Of calls and results; {@code /show last} has the rest. */
    private static final int TOOL_LINES = 6;

    /** Of reasoning, while it comes. */
    private static final int REASONING_LINES = 5;

    /** As much of the reasoning as can fill those lines. */
    private static final int REASONING_TAIL = 4_000;

    /** What comes faster than anybody reads is painted so often. */
    private static final long PAINT_NANOS = 50_000_000;

    /** A prompt that is read faster needs no line about it. */
    private static final long PATIENCE_NANOS = 500_000_000;

    private enum Part {
        NOTHING,
        REASONING,
        TEXT,
        CALL
    }

    private final LiveRegion region;
    private final Markdown markdown;
    private final ReasoningDisplay display;
    private final LongSupplier nanoTime;
    private final long start;
    private Part part = Part.NOTHING;
    private MarkdownStream text;
    private final StringBuilder reasoning = new StringBuilder();
    private long reasoningStart;
    private long painted;
    private int callLength;
    private boolean preamble;
    private boolean answered;

    AnswerView(LiveRegion region, Markdown markdown, ReasoningDisplay display, LongSupplier nanoTime) {
        this.region = region;
        this.markdown = markdown;
        this.display = display;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.text = new MarkdownStream(markdown);
    }

    @Override
    public void accept(ChatEvent event) {
        switch (event) {
            case Reading reading -> reading(reading);
            case Reasoning more -> reasoning(more.text());
            case Text more -> text(more);
            case Calling more -> calling(more);
            case ToolCall call -> call(call);
            case ToolResult result -> result(result);
            case Done done -> done(done);
        }
    }

    private void reading(Reading reading) {
        begin(Part.NOTHING);
        if (reading.tokens() < reading.promptTokens() && nanoTime.getAsLong() - start > PATIENCE_NANOS) {
            status(String.format(Locale.ROOT, "reading: %,d of %,d tokens", reading.tokens(), reading.promptTokens()));
        }
    }

    private void reasoning(String more) {
        begin(Part.REASONING);
        reasoning.append(more);
        switch (display) {
            case HIDE -> {
                if (isTimeToPaint()) {
                    status("thinking ...");
                }
            }
            case FOLD -> {
                if (isTimeToPaint()) {
                    region.update(List.of(), lastThoughts());
                }
            }
            case SHOW -> {
                if (more.indexOf('\n') >= 0 || isTimeToPaint()) {
                    streamReasoning();
                }
            }
        }
    }

    private List<AttributedString> lastThoughts() {
        int from = Math.max(0, reasoning.length() - REASONING_TAIL);
        String tail = Harmless.text(reasoning.substring(from)).replace('\t', ' ');
        List<AttributedString> lines = Wrap.words(new AttributedString(tail, Styles.DIM), region.width());
        int most = Math.max(1, Math.min(REASONING_LINES, region.height() - 2));
        List<AttributedString> shown = new ArrayList<>();
        shown.add(Styles.dim("thinking ..."));
        shown.addAll(lines.subList(Math.max(0, lines.size() - most), lines.size()));
        return shown;
    }

    /** Complete lines leave the region, and what is kept of the reasoning. */
    private void streamReasoning() {
        int complete = reasoning.lastIndexOf("\n");
        List<AttributedString> finished = complete < 0 ? List.of() : thought(reasoning.substring(0, complete));
        reasoning.delete(0, complete + 1);
        region.update(finished, reasoning.isEmpty() ? List.of() : thought(reasoning.toString()));
    }

    private List<AttributedString> thought(String lines) {
        return Wrap.words(new AttributedString(Harmless.text(lines).replace('\t', ' '), Styles.DIM), region.width());
    }

    private void text(Text more) {
        if (more.preamble() != preamble) {
            begin(Part.NOTHING);
            preamble = more.preamble();
        }
        begin(Part.TEXT);
        answered |= !more.text().isBlank();
        text.append(more.text());
        if (text.isDue() || isTimeToPaint()) {
            MarkdownStream.Step step = text.step(region.width());
            region.update(step.closed(), step.open());
            painted = nanoTime.getAsLong();
        }
    }

    private void calling(Calling more) {
        begin(Part.CALL);
        callLength += more.arguments().length();
        if (isTimeToPaint()) {
            status("calling " + name(more.recipient()) + " ... " + callLength + " characters");
        }
    }

    private void call(ToolCall call) {
        begin(Part.NOTHING);
        AttributedStringBuilder head = new AttributedStringBuilder();
        head.append("▸ " + Harmless.text(call.name()), Styles.TOOL);
        String body = call.arguments().strip();
        if (body.indexOf('\n') < 0) {
            head.append(" " + Harmless.text(body), Styles.DIM);
            printCut(Wrap.words(head.toAttributedString(), region.width()), "");
        } else {
            region.print(List.of(head.toAttributedString()));
            printCut(indented(body, Styles.DIM), "  ");
        }
    }

    private void result(ToolResult result) {
        begin(Part.NOTHING);
        String body = result.output().strip();
        printCut(indented(body.isEmpty() ? "(nothing)" : body, result.failed() ? Styles.ERROR : Styles.PLAIN), "  ");
        region.print(List.of(AttributedString.EMPTY));
    }

    private List<AttributedString> indented(String body, AttributedStyle style) {
        AttributedString text = new AttributedString(Harmless.text(body).replace("\t", "    "), style);
        return Wrap.hard(text, Math.max(1, region.width() - 2)).stream()
                .map(line ->
                        new AttributedStringBuilder().append("  ").append(line).toAttributedString())
                .toList();
    }

    private void printCut(List<AttributedString> lines, String indentation) {
        if (lines.size() <= TOOL_LINES + 1) {
            region.print(lines);
            return;
        }
        List<AttributedString> cut = new ArrayList<>(lines.subList(0, TOOL_LINES));
        cut.add(Styles.dim(indentation + "... " + (lines.size() - TOOL_LINES) + " more lines: /show last"));
        region.print(cut);
    }

    private void done(Done done) {
        begin(Part.NOTHING);
        @Nullable
        String note = switch (done.finish()) {
            case STOP -> answered ? null : "the model ended without an answer (/retry asks again)";
            case LENGTH -> "cut after " + done.usage().completionTokens() + " tokens; the answer is not complete";
            case CONTEXT ->
                "the model's context is full, so the answer is not complete (/clear begins anew, /undo takes turns back)";
            case CANCELLED -> "stopped";
            case TIME -> "the time is over; the answer is not complete";
            case ROUNDS -> "too many rounds of calls; there is no answer";
        };
        if (note != null) {
            region.print(Wrap.words(new AttributedString("[" + note + "]", Styles.ERROR), region.width()));
        }
    }

    /** Ends what was being painted, if the next part is another. */
    private void begin(Part next) {
        if (part == next) {
            return;
        }
        switch (part) {
            case REASONING -> endReasoning();
            case TEXT -> {
                MarkdownStream.Step step = text.last(region.width());
                List<AttributedString> lines = new ArrayList<>(step.closed());
                lines.add(AttributedString.EMPTY);
                region.update(lines, List.of());
                text = new MarkdownStream(markdown);
            }
            case CALL, NOTHING -> region.update(List.of(), List.of());
        }
        part = next;
        painted = 0;
        callLength = 0;
        if (next == Part.REASONING) {
            reasoningStart = nanoTime.getAsLong();
        }
    }

    private void endReasoning() {
        if (display == ReasoningDisplay.SHOW) {
            streamReasoning();
            region.settle();
        } else {
            double seconds = (nanoTime.getAsLong() - reasoningStart) * 1e-9;
            region.update(List.of(Styles.dim(String.format(Locale.ROOT, "thought for %.1f s", seconds))), List.of());
        }
        region.print(List.of(AttributedString.EMPTY));
        reasoning.setLength(0);
    }

    private void status(String line) {
        region.update(
                List.of(),
                List.of(Wrap.words(Styles.dim(Harmless.text(line)), region.width())
                        .getFirst()));
    }

    private boolean isTimeToPaint() {
        long now = nanoTime.getAsLong();
        if (painted != 0 && now - painted < PAINT_NANOS) {
            return false;
        }
        painted = now;
        return true;
    }

    private static String name(String recipient) {
        return recipient.substring(recipient.lastIndexOf('.') + 1);
    }
}
