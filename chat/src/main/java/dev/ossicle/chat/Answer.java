package dev.ossicle.chat;

import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;
import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatModel.StepEnd;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Repair;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.citation.Citations;
import dev.ossicle.tools.citation.CitedText;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * One answer on its way: steps of the model and, between them, calls of functions. Events come as they are asked for, by one
 * thread; any thread may cancel. Leaving it before its end needs {@link #close}.
 */
public final class Answer implements Iterable<ChatEvent>, AutoCloseable {
    private final ChatModel.Turn turn;
    private final List<Message> history;
    private final ToolRunner runner;
    private final Citations citations;
    private final Limits limits;
    private final Deadline deadline;
    private final Deque<ChatEvent> pending = new ArrayDeque<>();
    private final List<Repair> repairs = new ArrayList<>();
    private Usage usage = Usage.NONE;
    private int contextTokens;
    private int rounds;
    /** Whether the text that came last announces a call. */
    private boolean preamble;

    private @Nullable Done done;
    private volatile boolean cancelled;

    Answer(
            ChatModel.Turn turn,
            List<Message> history,
            Map<String, ToolRunner.Callee> callees,
            Citations citations,
            Limits limits) {
        this.citations = citations;
        this.turn = turn;
        this.history = history;
        this.limits = limits;
        this.runner = new ToolRunner(callees, limits);
        this.deadline = new Deadline(limits.time(), this::stop);
    }

    /**
     * Waits for the next event; null after {@link Done}.
     *
     * @throws ChatException if the model cannot go on; nothing follows
     */
    public @Nullable ChatEvent next() throws InterruptedException {
        while (pending.isEmpty()) {
            if (done != null) {
                return null;
            }
            boolean completed = false;
            try {
                ChatEvent event = turn.next();
                if (event instanceof Text said) {
                    cite(citations.next(said.text()), said.preamble());
                } else if (event != null) {
                    endText();
                    pending.add(event);
                } else {
                    endText();
                    endOfStep(turn.end());
                }
                completed = true;
            } finally {
                if (!completed) {
                    finish(Finish.CANCELLED); // nothing more can come, whoever asks
                    turn.cancel();
                    pending.clear();
                }
            }
        }
        return pending.remove();
    }

    private void endText() {
        cite(citations.end(), preamble);
    }

    private void cite(List<CitedText> texts, boolean ofPreamble) {
        preamble = ofPreamble;
        for (CitedText text : texts) {
            pending.add(new Text(text.text(), ofPreamble, List.of(), text.source()));
        }
    }

    private void endOfStep(StepEnd step) throws InterruptedException {
        history.addAll(step.messages());
        usage = usage.plus(step.usage());
        contextTokens = step.usage().promptTokens() + step.usage().completionTokens();
        repairs.addAll(step.repairs());
        if (deadline.isOver()) {
            finish(Finish.TIME);
        } else if (cancelled) {
            finish(Finish.CANCELLED);
        } else if (step.calls().isEmpty() || step.finish() != Finish.STOP) {
            finish(step.finish());
        } else if (rounds == limits.rounds()) {
            finish(Finish.ROUNDS);
        } else {
            rounds++;
            List<Message> results = run(step.calls());
            history.addAll(results);
            if (deadline.isOver() || cancelled) {
                finish(deadline.isOver() ? Finish.TIME : Finish.CANCELLED);
            } else {
                turn.results(results);
            }
        }
    }

    private List<Message> run(List<Message> calls) throws InterruptedException {
        List<ToolRunner.Call> asked = new ArrayList<>();
        for (Message call : calls) {
            ToolRunner.Call begun = new ToolRunner.Call(String.valueOf(call.recipient()), call.text());
            asked.add(begun);
            pending.add(new ToolCall(callId(asked.size()), begun.name(), call.text()));
        }
        List<ToolOutput> results = runner.run(asked);
        List<Message> told = new ArrayList<>();
        for (Message call : calls) {
            int index = told.size();
            ToolOutput result = results.get(index);
            pending.add(new ToolResult(callId(index + 1), asked.get(index).name(), result.text(), result.failed()));
            String channel = call.channel() == null ? Message.COMMENTARY : call.channel();
            told.add(Message.toolResult(String.valueOf(call.recipient()), channel, result.text()));
        }
        return told;
    }

    /** Unique in the conversation: the place in the history that the result will have. */
    private String callId(int number) {
        return "call_" + (history.size() + number);
    }

    private void finish(Finish finish) {
        deadline.end();
        done = new Done(finish, usage, repairs);
        pending.add(done);
    }

    /** Stops the model or the function that is running; {@link Done} still comes. Harmless when all is over. */
    public void cancel() {
        cancelled = true;
        stop();
    }

    private void stop() {
        turn.cancel();
        runner.cancel();
    }

    boolean isDone() {
        return done != null;
    }

    /** Cancels, and reads to the end, so that the history is complete. */
    @Override
    public void close() {
        if (done == null) {
            cancel();
            forEach(event -> {});
        }
    }

    /** Reads to the end; the whole answer, without preambles. */
    public String text() {
        StringBuilder text = new StringBuilder();
        forEach(event -> {
            if (event instanceof Text part && !part.preamble()) {
                text.append(part.text());
            }
        });
        return text.toString();
    }

    /** Reads to the end; the last event. */
    public Done done() {
        forEach(event -> {});
        if (done == null) {
            throw new IllegalStateException("the answer has no end");
        }
        return done;
    }

    /** So much of the model's context was full when the last step ended; 0 if nobody said. */
    public int contextTokens() {
        return contextTokens;
    }

    /** Reads to the end; answer and reasoning apart. */
    public Parts parts() {
        StringBuilder reasoning = new StringBuilder();
        StringBuilder text = new StringBuilder();
        for (ChatEvent event : this) {
            switch (event) {
                case Reasoning part -> reasoning.append(part.text());
                case Text part -> text.append(part.text());
                case ChatEvent.Reading ignored -> {}
                case ChatEvent.Calling ignored -> {}
                case ToolCall ignored -> {}
                case ToolResult ignored -> {}
                case Done ignored -> {}
            }
        }
        return new Parts(reasoning.toString(), text.toString());
    }

    /** What was thought and what was said. */
    public record Parts(String reasoning, String text) {}

    /** The events that have not been read yet, once. An interrupt ends the answer as {@link #cancel} does. */
    @Override
    public Iterator<ChatEvent> iterator() {
        return new Iterator<>() {
            private @Nullable ChatEvent ahead;

            @Override
            public boolean hasNext() {
                if (ahead == null) {
                    ahead = nextUninterrupted();
                }
                return ahead != null;
            }

            @Override
            public ChatEvent next() {
                if (!hasNext() || ahead == null) {
                    throw new NoSuchElementException("the answer is over");
                }
                ChatEvent event = ahead;
                ahead = null;
                return event;
            }
        };
    }

    private @Nullable ChatEvent nextUninterrupted() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return next();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
