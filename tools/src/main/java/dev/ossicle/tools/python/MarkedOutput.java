package dev.ossicle.tools.python;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Takes an endless stream apart: what was printed, of which only so much is kept, and behind a mark one line that is the
 * notebook's own. The mark is random for each call, so that what is printed is not taken for it.
 */
final class MarkedOutput {
    private static final int MAX_ANSWER = 96 << 20;

    private final byte[] mark;
    private final int limit;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private long printed;

    /** What may hold a part of the mark; behind the mark, the answer so far. */
    private final ByteArrayOutputStream tail = new ByteArrayOutputStream();

    private boolean marked;
    private @Nullable String answer;
    private byte[] rest = new byte[0];

    MarkedOutput(String mark, int limit) {
        this.mark = ("\n" + mark).getBytes(StandardCharsets.US_ASCII);
        this.limit = limit;
    }

    /** @throws InterpreterException if the answer has no end */
    void take(byte[] chunk) throws InterpreterException {
        tail.writeBytes(chunk);
        if (!marked) {
            byte[] bytes = tail.toByteArray();
            int at = indexOf(bytes, mark);
            marked = at >= 0;
            int printedUpTo = marked ? at : Math.max(0, bytes.length - mark.length);
            keep(bytes, printedUpTo);
            tail.reset();
            int from = marked ? at + mark.length : printedUpTo;
            tail.write(bytes, from, bytes.length - from);
        }
        if (marked && answer == null && hasLineEnd(chunk)) {
            byte[] bytes = tail.toByteArray();
            int end = 0;
            while (end < bytes.length && bytes[end] != '\n') {
                end++;
            }
            if (end < bytes.length) {
                answer = new String(bytes, 0, end, StandardCharsets.UTF_8);
                rest = Arrays.copyOfRange(bytes, end + 1, bytes.length);
            }
        }
        if (marked && answer == null && tail.size() > MAX_ANSWER) {
            throw new InterpreterException("the interpreter's answer has no end");
        }
    }

    private static boolean hasLineEnd(byte[] chunk) {
        return indexOf(chunk, new byte[] {'\n'}) >= 0;
    }

    private void keep(byte[] bytes, int length) {
        printed += length;
        kept.write(bytes, 0, Math.min(length, limit - kept.size()));
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int i = 0; i + part.length <= bytes.length; i++) {
            if (Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        return -1;
    }

    /** The notebook's line, once it is complete. */
    @Nullable
    String answer() {
        return answer;
    }

    /** What came behind the answer and belongs to the next call. */
    byte[] rest() {
        return rest;
    }

    /** What was printed, made readable: broken UTF-8 and control characters are replaced, what was dropped is said. */
    String text() {
        if (!marked) { // and it never will be: the interpreter is gone
            keep(tail.toByteArray(), tail.size());
            tail.reset();
        }
        String text = new String(kept.toByteArray(), StandardCharsets.UTF_8)
                .replaceAll("[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1A\\x1C-\\x1F\\x7F]", "\uFFFD")
                .replace("\r\n", "\n");
        return printed > limit
                ? text + "\n[cut: " + printed + " bytes of output, of which these are the first " + limit + "]"
                : text;
    }
}
