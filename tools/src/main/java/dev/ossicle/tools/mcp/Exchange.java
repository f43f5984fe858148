package dev.ossicle.tools.mcp;

import org.jspecify.annotations.Nullable;

/** One request on its way: how to tell the server that nobody waits for it, and how to stop sending it. */
final class Exchange {
    private volatile @Nullable Object id;
    private volatile boolean answered;
    private volatile boolean givenUp;
    private @Nullable Runnable abort;

    /** Null before it is sent. */
    @Nullable
    Object id() {
        return id;
    }

    void sentAs(Object newId) {
        id = newId;
        answered = false;
    }

    boolean answered() {
        return answered;
    }

    void setAnswered() {
        answered = true;
    }

    /** What to do when nobody waits any more; at once if that is so already. */
    synchronized void onGiveUp(Runnable action) {
        abort = action;
        if (givenUp) {
            action.run();
        }
    }

    boolean isGivenUp() {
        return givenUp;
    }

    synchronized void giveUp() {
        givenUp = true;
        if (abort != null) {
            abort.run();
        }
    }
}
