package dev.ossicle.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** One line on standard error that is rewritten in place; silent where nobody can see it and while work is short. */
final class Progress {
    private static final long FIRST_NANOS = 1_000_000_000L;
    private static final long EVERY_NANOS = 200_000_000L;

    private final PrintWriter err;
    private final String unit;
    private long total;
    private final boolean visible;
    private final long start = System.nanoTime();
    private long next = start + FIRST_NANOS;
    private int width;

    Progress(PrintWriter err, String unit, long total) {
        this(err, unit, total, Terminal.ERROR);
    }

    Progress(PrintWriter err, String unit, long total, boolean visible) {
        this.err = err;
        this.unit = unit;
        this.total = total;
        this.visible = visible;
    }

    void update(long done, long newTotal) {
        total = newTotal;
        update(done);
    }

    void update(long done) {
        long now = System.nanoTime();
        if (!visible || now < next) {
            return;
        }
        next = now + EVERY_NANOS;
        double seconds = (now - start) * 1e-9;
        String line = String.format(
                Locale.ROOT,
                "%d of %d %s (%d %%), %.0f s left",
                done,
                total,
                unit,
                100 * done / total,
                seconds * (total - done) / Math.max(1, done));
        show(line);
    }

    void end() {
        if (width > 0) {
            show("");
            err.print('\r');
            err.flush();
        }
    }

    private void show(String line) {
        err.print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
        err.flush();
        width = line.length();
    }
}
