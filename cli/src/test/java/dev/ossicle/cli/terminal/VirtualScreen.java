package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.jline.utils.ScreenTerminal;

/** A terminal without a window: what is on it can be read, with what has left it at the top, and keys can be pressed. */
final class VirtualScreen {
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final ScreenTerminal screen;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final LineDisciplineTerminal terminal;

    VirtualScreen(String type, int columns, int rows) throws IOException {
        screen = new ScreenTerminal(columns, rows);
        terminal = new LineDisciplineTerminal("test", type, new Output(), StandardCharsets.UTF_8);
        terminal.setSize(Size.of(columns, rows));
    }

    LineDisciplineTerminal terminal() {
        return terminal;
    }

    void type(String keys) throws IOException {
        terminal.processInputBytes(keys.getBytes(StandardCharsets.UTF_8));
    }

    void resize(int columns, int rows) {
        screen.setSize(Size.of(columns, rows));
        terminal.setSize(Size.of(columns, rows));
        terminal.raise(Signal.WINCH);
    }

    /** All lines, the oldest first, without spaces at their ends. */
    String text() {
        int columns = screen.getColumns();
        long[] cells = new long[columns * screen.getRows()];
        List<long[]> history;
        synchronized (screen) {
            history = screen.getHistory();
            screen.dump(cells, null);
        }
        Stream<long[]> visible = Stream.iterate(0, row -> row + columns)
                .limit(cells.length / columns)
                .map(start -> Arrays.copyOfRange(cells, start, start + columns));
        return Stream.concat(history.stream(), visible)
                .map(VirtualScreen::line)
                .collect(Collectors.joining("\n"))
                .stripTrailing();
    }

    private static String line(long[] cells) {
        StringBuilder line = new StringBuilder();
        for (long cell : cells) {
            int codePoint = ScreenTerminal.cellCodePoint(cell);
            if (codePoint != 0) { // the second half of a wide character
                line.appendCodePoint(codePoint);
            }
        }
        return line.toString().stripTrailing();
    }

    /** All that was ever sent to the terminal. */
    String written() {
        synchronized (written) {
            return written.toString(StandardCharsets.UTF_8);
        }
    }

    void await(String what, Predicate<String> condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.test(text())) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                assertThat(text()).as("waited in vain for %s", what).isEqualTo(what);
            }
            screen.waitDirty(20);
        }
    }

    private final class Output extends OutputStream {
        /** Bytes of a character that is not complete. */
        private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

        @Override
        public void write(int value) {
            synchronized (written) {
                written.write(value);
            }
            pending.write(value);
        }

        @Override
        public void flush() {
            byte[] bytes = pending.toByteArray();
            int end = bytes.length;
            while (end > 0 && end > bytes.length - 3 && (bytes[end - 1] & 0xC0) == 0x80) {
                end--;
            }
            if (end > 0 && (bytes[end - 1] & 0xC0) == 0xC0) {
                int first = bytes[end - 1] & 0xFF;
                int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
                end = end - 1 + length <= bytes.length ? bytes.length : end - 1;
            } else {
                end = bytes.length;
            }
            screen.write(new String(bytes, 0, end, StandardCharsets.UTF_8));
            pending.reset();
            pending.write(bytes, end, bytes.length - end);
        }
    }
}
