package dev.ossicle.server.answer;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatException;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.GenerationException;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A text being continued, without any conversation. One thread reads; any may cancel. */
public final class RawRun implements AutoCloseable, Answers.Open {
    /** Hears the text as it comes. */
    public interface Listener {
        void text(String text, List<Token> tokens) throws IOException;
    }

    private static final int LONGEST_CHARACTER = 8; // bytes, with room

    private final Answers answers;
    private final Generation generation;
    private final Tokenizer tokenizer;
    private final StopFilter filter;
    private final StringBuilder text = new StringBuilder();
    private final List<Piece.Text> texts = new ArrayList<>();
    private final List<Token> held = new ArrayList<>();
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer undecoded = ByteBuffer.allocate(0);
    private volatile boolean shutdown;

    /** @throws RuntimeException whatever the engine refuses the request with */
    public RawRun(Answers answers, LocalModel model, GenerationRequest request, List<String> stops) {
        this.answers = answers;
        this.tokenizer = model.harmony().tokenizer();
        this.filter = new StopFilter(stops);
        this.generation = model.engine().start(request);
        answers.add(this);
    }

    /** Reads to the end. */
    public Outcome read(Listener listener) throws IOException, InterruptedException {
        boolean complete = false;
        try {
            while (true) {
                GenerationEvent event = next();
                switch (event) {
                    case Prefilled ignored -> {}
                    case Token token -> take(token, listener);
                    case Done done -> {
                        Outcome outcome = end(done, listener);
                        complete = true;
                        return outcome;
                    }
                }
            }
        } finally {
            if (!complete) {
                generation.cancel();
            }
            answers.remove(this);
        }
    }

    private GenerationEvent next() throws InterruptedException {
        try {
            GenerationEvent event = generation.next();
            if (event == null) {
                throw new IllegalStateException("the generation ended without saying so");
            }
            return event;
        } catch (GenerationException e) {
            throw new ChatException(String.valueOf(e.getMessage()), e);
        }
    }

    private void take(Token token, Listener listener) throws IOException {
        if (filter.isStopped() || generation.request().stopTokens().contains(token.id())) {
            return;
        }
        if (!token.logprobs().isEmpty()) {
            held.add(token);
        }
        byte[] bytes = tokenizer.hasToken(token.id()) ? tokenizer.tokenBytes(token.id()) : new byte[0];
        ByteBuffer all = ByteBuffer.allocate(undecoded.remaining() + bytes.length)
                .put(undecoded)
                .put(bytes)
                .flip();
        pass(filter.add(decode(all, false)), listener);
        undecoded = all;
        if (filter.isStopped()) {
            generation.cancel();
        }
    }

    private String decode(ByteBuffer bytes, boolean last) {
        CharBuffer chars = CharBuffer.allocate(bytes.remaining() + LONGEST_CHARACTER);
        decoder.decode(bytes, chars, last);
        if (last) {
            decoder.flush(chars);
        }
        return chars.flip().toString();
    }

    private void pass(String more, Listener listener) throws IOException {
        if (!more.isEmpty()) {
            text.append(more);
            List<Token> tokens = List.copyOf(held);
            held.clear();
            texts.add(new Piece.Text(more, false, tokens, null));
            listener.text(more, tokens);
        }
    }

    private Outcome end(Done done, Listener listener) throws IOException {
        if (!filter.isStopped()) {
            pass(filter.add(decode(undecoded, true)) + filter.rest(), listener);
        }
        Outcome.End end = switch (done.finish()) {
            case STOP -> Outcome.End.STOP;
            case LENGTH, CONTEXT, DEADLINE -> Outcome.End.LENGTH;
            case CANCELLED ->
                filter.isStopped() ? Outcome.End.STOP : shutdown ? Outcome.End.SHUTDOWN : Outcome.End.CANCELLED;
        };
        var timings = done.timings();
        if (done.finish() == Finish.DEADLINE && timings.tokens() == 0) {
            throw AnswerRun.tooBusy(answers);
        }
        Usage usage = new Usage(
                timings.promptTokens(),
                timings.cachedTokens(),
                timings.tokens(),
                0,
                timings.promptNanos() * 1e-9,
                timings.decodeNanos() * 1e-9);
        answers.metrics().answered(usage, List.of(), end.name());
        return new Outcome(end, "", text.toString(), List.of(), List.of(), usage, texts, filter.stopText());
    }

    /** Ends it soon: nobody waits for it. */
    public void cancel() {
        generation.cancel();
    }

    @Override
    public void shutdown() {
        shutdown = true;
        generation.cancel();
    }

    /** Lets go of what was not read to its end. */
    @Override
    public void close() {
        cancel();
        answers.remove(this);
    }
}
