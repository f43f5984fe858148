package dev.ossicle.cli;

import java.io.PrintWriter;
import java.util.Locale;

/**
 * One line on standard error about a download, rewritten in place: bytes, rate, what is left. Where nobody can see that, a plain line
 * every half minute. Thread-safe.
 */
final class Transfer {
    private static final long EVERY_NANOS = 250_000_000L;
    private static final long EVERY_PLAIN_NANOS = 30_000_000_000L;
    /** How fast an earlier rate is forgotten. */
    private static final double MEMORY = 0.9;

    private static final int BAR = 20;

    private final PrintWriter err;
    private final boolean visible;
    private long last = System.nanoTime();
    private long lastDone = -1;
    private double rate;
    private int width;

    Transfer(PrintWriter err, boolean visible) {
        this.err = err;
        this.visible = visible;
    }

    synchronized void update(long done, long total) {
        long now = System.nanoTime();
        if (lastDone < 0) {
            lastDone = done;
            last = now;
            return;
        }
        boolean isEnd = done == total && visible;
        if (now - last < (visible ? EVERY_NANOS : EVERY_PLAIN_NANOS) && !isEnd) {
            return;
        }
        double current = Math.max(0, done - lastDone) / ((now - last) * 1e-9);
        rate = rate == 0 ? current : MEMORY * rate + (1 - MEMORY) * current;
        last = now;
        lastDone = done;
        String line = describe(done, total, rate);
        if (visible) {
            err.print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
            err.flush();
            width = line.length();
            if (isEnd) {
                err.println();
                width = 0;
            }
        } else {
            err.println(line);
        }
    }

    static String describe(long done, long total, double rate) {
        double share = total == 0 ? 1 : (double) done / total;
        int filled = (int) (BAR * share);
        String left = rate < 1 ? "" : ", " + duration((long) ((total - done) / rate)) + " left";
        return String.format(
                Locale.ROOT,
                "[%s%s] %3d %%  %s of %s, %s/s%s",
                "#".repeat(filled),
                " ".repeat(BAR - filled),
                (int) (100 * share),
                Sizes.bytes(done),
                Sizes.bytes(total),
                Sizes.bytes(rate),
                left);
    }

    private static String duration(long seconds) {
        return seconds >= 3600
                ? seconds / 3600 + " h " + seconds % 3600 / 60 + " min"
                : seconds >= 60 ? seconds / 60 + " min " + seconds % 60 + " s" : seconds + " s";
    }

    synchronized void note(String line) {
        if (width > 0) {
            err.println();
            width = 0;
        }
        err.println(line);
    }
}
