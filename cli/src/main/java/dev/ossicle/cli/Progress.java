package dev.ossicle.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/** One line on standard error that is rewritten in place; silent where nobody can see it and while work is short. */
final class Progress {
    private static final long FIRST_NANOS = 1_000_000_000L;
    private static final long EVERY_NANOS = 200_000_000L;
    private static final long BYTES_OF_A_MEGABYTE = 1_000_000;

    private final PrintWriter err;
    /** Before the numbers: "loading ". */
    private final String what;

    private final String unit;
    private long total;
    private final boolean visible;
    private final LongSupplier nanos;
    private final long start;
    private long next;
    private int width;

    Progress(PrintWriter err, String unit, long total) {
        this(err, "", unit, total, Terminal.ERROR, System::nanoTime);
    }

    /** @param nanos the time, from anywhere on */
    Progress(PrintWriter err, String what, String unit, long total, boolean visible, LongSupplier nanos) {
        this.err = err;
        this.what = what;
        this.unit = unit;
        this.total = total;
        this.visible = visible;
        this.nanos = nanos;
        this.start = nanos.getAsLong();
        this.next = start + FIRST_NANOS;
    }

    /** Of a model on its way into memory. */
    static Progress loading(PrintWriter err) {
        return new Progress(err, "loading ", "MB", 1, Terminal.ERROR, System::nanoTime);
    }

    /** Of a file. */
    static Progress writing(PrintWriter err) {
        return new Progress(err, "MB", 1);
    }

    /** The same in bytes, which are shown as megabytes. */
    void bytes(long done, long newTotal) {
        update(done / BYTES_OF_A_MEGABYTE, Math.max(1, newTotal / BYTES_OF_A_MEGABYTE));
    }

    void update(long done, long newTotal) {
        total = newTotal;
        update(done);
    }

    void update(long done) {
        long now = nanos.getAsLong();
        if (!visible || now < next) {
            return;
        }
        next = now + EVERY_NANOS;
        double seconds = (now - start) * 1e-9;
        String line = String.format(
                Locale.ROOT,
                "%s%d of %d %s (%d %%), %.0f s left",
                what,
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
