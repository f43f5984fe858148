package dev.ossicle.harmony;

import dev.ossicle.harmony.internal.IntList;
import dev.ossicle.harmony.internal.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The text of one message from the bytes of its tokens: a character may come in several. At most one U+FFFD for each
 * token; valid text behind an error waits for the next, as in OpenAI's library.
 */
final class TextDecoder {
    /** Told of each bad sequence of bytes, before the U+FFFD for it is in the text. */
    interface BadBytes {
        void found(byte[] bytes);
    }

    private final BadBytes bad;
    private final StringBuilder text = new StringBuilder();
    private final IntList ends = new IntList(64); // of the deltas, in chars
    private byte[] pending = new byte[16];
    private int length; // of what is pending
    private boolean unknown;

    TextDecoder() {
        this(bytes -> {});
    }

    TextDecoder(BadBytes bad) {
        this.bad = bad;
    }

    /** Adds a token's bytes; returns the text that they complete, or null. */
    @Nullable
    String add(byte[] bytes) {
        if (unknown) {
            return null;
        }
        if (length == 0 && Utf8.validUpTo(bytes, 0, bytes.length) == bytes.length) {
            return emit(new String(bytes, StandardCharsets.UTF_8));
        }
        if (bytes.length > pending.length - length) {
            pending = Arrays.copyOf(pending, 2 * (length + bytes.length));
        }
        System.arraycopy(bytes, 0, pending, length, bytes.length);
        length += bytes.length;
        int valid = Utf8.validUpTo(pending, 0, length);
        String delta = new String(pending, 0, valid, StandardCharsets.UTF_8);
        int keepFrom = valid;
        if (valid < length) {
            int sequence = Utf8.sequence(pending, valid, length);
            if (sequence < 0) {
                keepFrom = valid - sequence;
                bad.found(Arrays.copyOfRange(pending, valid, keepFrom));
                delta += "\uFFFD";
            }
        }
        length -= keepFrom;
        System.arraycopy(pending, keepFrom, pending, 0, length);
        return delta.isEmpty() ? null : emit(delta);
    }

    /** Adds a token without bytes; what follows it in this message cannot be told from it. */
    @Nullable
    String addUnknown() {
        unknown = true;
        return null;
    }

    /** Ends the text: what is pending becomes one U+FFFD for each bad sequence. Returns what that added, or null. */
    @Nullable
    String end() {
        StringBuilder delta = new StringBuilder();
        int at = 0;
        while (at < length) {
            int valid = Utf8.validUpTo(pending, at, length);
            delta.append(new String(pending, at, valid - at, StandardCharsets.UTF_8));
            if (valid == length) {
                break;
            }
            int sequence = Utf8.sequence(pending, valid, length);
            at = sequence == 0 ? length : valid - sequence;
            bad.found(Arrays.copyOfRange(pending, valid, at));
            delta.append('\uFFFD');
        }
        if (unknown) {
            delta.append('\uFFFD');
        }
        length = 0;
        unknown = false;
        return delta.isEmpty() ? null : emit(delta.toString());
    }

    private String emit(String delta) {
        text.append(delta);
        ends.add(text.length());
        return delta;
    }

    void clear() {
        text.setLength(0);
        ends.clear();
        length = 0;
        unknown = false;
    }

    List<String> deltas() {
        List<String> deltas = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < ends.size(); i++) {
            deltas.add(text.substring(from, ends.get(i)));
            from = ends.get(i);
        }
        return deltas;
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
