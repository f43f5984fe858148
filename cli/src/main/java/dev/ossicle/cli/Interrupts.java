package dev.ossicle.cli;

import dev.ossicle.chat.Answer;
import java.util.concurrent.CountDownLatch;

/** While it is open, Ctrl-C stops the answer and lets what was said be finished before the JVM ends. */
final class Interrupts implements AutoCloseable {
    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;

    Interrupts(Answer answer) {
        hook = new Thread(() -> {
            answer.cancel();
            try {
                finished.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        finished.countDown();
        remove(hook);
    }

    static void remove(Thread shutdownHook) {
        try {
            Runtime.getRuntime().removeShutdownHook(shutdownHook);
        } catch (IllegalStateException e) {
            // the JVM is ending already
        }
    }
}
