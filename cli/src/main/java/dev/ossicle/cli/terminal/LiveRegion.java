package dev.ossicle.cli.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.InfoCmp.Capability;

/**
 * The last lines on the screen, which may still change. Only lines that differ are painted again, and none that has left the
 * screen. The cursor is at the end of the last one; without any, at the beginning of an empty line.
 */
final class LiveRegion {
    private final Terminal terminal;
    private final boolean styled;
    private List<AttributedString> painted = new ArrayList<>();
    private int paintedWidth;

    LiveRegion(Terminal terminal, boolean styled) {
        this.terminal = terminal;
        this.styled = styled;
    }

    /** Whether a terminal can do what this needs. */
    static boolean isPossible(Terminal terminal) {
        return !terminal.getType().startsWith(Terminal.TYPE_DUMB)
                && terminal.getStringCapability(Capability.cursor_up) != null
                && terminal.getStringCapability(Capability.clr_eos) != null;
    }

    /** Columns that a line may take; the last one stays free, where terminals differ on when they wrap. */
    int width() {
        int columns = terminal.getColumns();
        return columns <= 0 ? 79 : Math.max(1, columns - 1);
    }

    int height() {
        int rows = terminal.getRows();
        return rows <= 0 ? 24 : rows;
    }

    /**
     * Replaces what the region holds.
     *
     * @param finished lines that leave the region: they will not change
     * @param live lines that stay in it
     */
    void update(List<AttributedString> finished, List<AttributedString> live) {
        PrintWriter out = terminal.writer();
        int width = width();
        if (width < paintedWidth && !painted.isEmpty()) {
            // Narrower: some terminals have broken the lines, others have cut them. Nobody can say how many rows they
            // take,
            // so they stay, and the block is painted once more below.
            out.print("\n");
            painted = List.of();
        }
        paintedWidth = width;
        List<AttributedString> target = new ArrayList<>(finished);
        target.addAll(live);
        int from = firstDifference(target);
        if (from < Math.max(target.size(), painted.size())) {
            paint(out, target, from);
        }
        if (live.isEmpty() && !target.isEmpty()) {
            out.print("\n");
        }
        painted = List.copyOf(live);
        out.flush();
    }

    private int firstDifference(List<AttributedString> target) {
        int from = 0;
        while (from < target.size() && from < painted.size() && target.get(from).equals(painted.get(from))) {
            from++;
        }
        return from;
    }

    private void paint(PrintWriter out, List<AttributedString> target, int difference) {
        int from = difference;
        if (from == painted.size() - 1 && from < target.size() && isPrefix(painted.get(from), target.get(from))) {
            AttributedString line = target.get(from);
            out.print(text(line.subSequence(painted.get(from).length(), line.length())));
            from++;
        } else {
            if (from == target.size() && from > 0) {
                from--; // the cursor has to come to its end
            }
            from = Math.max(from, painted.size() - height()); // what is above has left the screen
            if (from >= target.size() && !target.isEmpty()) {
                from = target.size() - 1;
            }
            if (from < painted.size()) {
                for (int row = painted.size() - 1; row > from; row--) {
                    terminal.puts(Capability.cursor_up);
                }
                out.print("\r");
                terminal.puts(Capability.clr_eos);
            } else if (!painted.isEmpty()) {
                out.print("\n");
            }
            if (from < target.size()) {
                out.print(text(target.get(from)));
                from++;
            }
        }
        for (; from < target.size(); from++) {
            out.print("\n");
            out.print(text(target.get(from)));
        }
    }

    private static boolean isPrefix(AttributedString shorter, AttributedString longer) {
        return shorter.length() <= longer.length()
                && longer.subSequence(0, shorter.length()).equals(shorter);
    }

    private String text(AttributedString line) {
        return styled ? Ansi.text(line) : line.toString();
    }

    /** Whatever is live stays as it is; the cursor goes to a line of its own. */
    void settle() {
        update(painted, List.of());
    }

    /** Lines that will not change, below all that is there. */
    void print(List<AttributedString> lines) {
        settle();
        update(lines, List.of());
    }
}
