package dev.ossicle.cli;

import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.HarmonyParser;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.Role;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Takes a generation's tokens apart into messages and hands their text on as it comes. */
final class AnswerStream {
    private final HarmonyParser parser;
    private final AnswerWriter writer;
    private final Progress progress;

    /** Messages that were handed on whole, and how much was of the one after them. */
    private int completed;

    private int streamed;

    AnswerStream(HarmonyEncoding harmony, AnswerWriter writer, Progress progress) {
        // Whatever the model writes, nothing of it is lost.
        this.parser = harmony.parser(Role.ASSISTANT, ParseMode.TOTAL);
        this.writer = writer;
        this.progress = progress;
    }

    /** Hands on all there is. Ctrl-C stops the generation and lets what was said be finished before the JVM ends. */
    Done copy(Generation generation) throws InterruptedException {
        CountDownLatch finished = new CountDownLatch(1);
        Thread stop = new Thread(() -> {
            generation.cancel();
            try {
                finished.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(stop);
        try {
            while (true) {
                GenerationEvent event = generation.next();
                switch (event) {
                    case Prefilled prefilled -> progress.update(prefilled.tokens());
                    case Token token -> {
                        progress.end();
                        parser.process(token.id());
                        handOn();
                    }
                    case Done done -> {
                        progress.end();
                        parser.finish();
                        handOn();
                        writer.end(done);
                        return done;
                    }
                    case null -> throw new IllegalStateException("the generation ended without saying so");
                }
            }
        } finally {
            finished.countDown();
            removeHook(stop);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the JVM is ending already
        }
    }

    private void handOn() {
        String delta = parser.delta();
        while (completed < parser.messages().size()) {
            Message message = parser.messages().get(completed);
            String rest = message.text().substring(streamed);
            if (!rest.isEmpty()) {
                writer.text(channel(message.channel()), message.recipient(), rest);
            }
            writer.endOfMessage();
            completed++;
            streamed = 0;
            delta = null; // was the end of that message
        }
        if (delta != null && !delta.isEmpty()) {
            writer.text(channel(parser.channel()), parser.recipient(), delta);
            streamed += delta.length();
        }
    }

    /** A message that names no channel is meant for the user, as far as anyone can tell. */
    private static String channel(@Nullable String channel) {
        return channel == null ? Message.FINAL : channel;
    }
}
