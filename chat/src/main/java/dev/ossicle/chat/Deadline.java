package dev.ossicle.chat;

import java.time.Duration;

/** Does something once a time is over, unless it is ended before. */
final class Deadline {
    private final Thread thread;
    private volatile boolean over;

    Deadline(Duration time, Runnable action) {
        thread = Thread.ofVirtual().name("ossicle-deadline").start(() -> {
            try {
                Thread.sleep(time);
                over = true;
                action.run();
            } catch (InterruptedException e) {
                // ended in time
            }
        });
    }

    boolean isOver() {
        return over;
    }

    void end() {
        thread.interrupt();
    }
}
