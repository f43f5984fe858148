package dev.ossicle.train;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;

/** How the training goes: one line that is rewritten on a terminal, a line now and then in a file. Not thread-safe. */
final class ProgressLine {
    private final PrintStream out;
    private final boolean terminal = isTerminal();
    private final double everySeconds = terminal ? 1 : 30;
    private long tokensBefore;
    private double secondsBefore;
    private double losses;
    private int steps;

    ProgressLine(PrintStream out, long tokens, double seconds) {
        this.out = out;
        this.tokensBefore = tokens;
        this.secondsBefore = seconds;
    }

    @SuppressWarnings("SystemConsoleNull") // it is null where standard input is no terminal, on JDK 25 too
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    /** Called after each step, with the seconds and the part of the training done in all. */
    void step(Trainer trainer, double loss, double seconds, double progress) {
        losses += loss;
        steps++;
        double passed = seconds - secondsBefore;
        if (passed < everySeconds) {
            return;
        }
        double remaining = seconds / progress - seconds;
        String line = String.format(
                Locale.ROOT,
                "step %d  %.2fM tokens  loss %.4f  %.0f tokens/s  %.1f %%  %s left",
                trainer.steps(),
                trainer.tokens() * 1e-6,
                losses / steps,
                (trainer.tokens() - tokensBefore) / passed,
                100 * Math.min(1, progress),
                clock(Math.max(0, remaining)));
        if (terminal) {
            out.print("\r" + line + "  ");
        } else {
            out.println(line);
        }
        tokensBefore = trainer.tokens();
        secondsBefore = seconds;
        losses = 0;
        steps = 0;
    }

    static String clock(double seconds) {
        long whole = Math.round(seconds);
        return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    }
}
