package dev.ossicle.harmony.internal;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * UTF-8 as Rust's standard library sees it: {@code java.nio.charset} counts the bad bytes of an encoded surrogate
 * (ED A0..BF xx) as one error, Rust as one for each byte.
 */
public final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    /** The text in UTF-8 with so many zero bytes behind it; an unpaired surrogate becomes U+FFFD. */
    public static byte[] encode(String text, int padding) {
        int chars = text.length();
        long length = padding;
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            // A paired surrogate is half of a four-byte sequence.
            length += c < 0x80 ? 1 : c < 0x800 ? 2 : isPaired(text, i) ? 2 : 3;
        }
        byte[] out = new byte[Math.toIntExact(length)];
        int at = 0;
        for (int i = 0; i < chars; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                out[at++] = (byte) c;
                continue;
            }
            int codePoint = c;
            if (Character.isSurrogate(c)) {
                codePoint = isPaired(text, i) ? text.codePointAt(i++) : REPLACEMENT;
            }
            at = put(codePoint, out, at);
        }
        return out;
    }

    private static boolean isPaired(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }

    private static int put(int codePoint, byte[] out, int at) {
        if (codePoint < 0x800) {
            out[at++] = (byte) (0xC0 | codePoint >> 6);
        } else {
            if (codePoint < 0x10000) {
                out[at++] = (byte) (0xE0 | codePoint >> 12);
            } else {
                out[at++] = (byte) (0xF0 | codePoint >> 18);
                out[at++] = (byte) (0x80 | ((codePoint >> 12) & 0x3F));
            }
            out[at++] = (byte) (0x80 | ((codePoint >> 6) & 0x3F));
        }
        out[at++] = (byte) (0x80 | (codePoint & 0x3F));
        return at;
    }

    /**
     * Looks at the sequence that starts at {@code at}: its length if it is valid, minus the length of its longest
     * prefix that begins a valid sequence (at least 1) if a byte is wrong, 0 if the bytes end too early to tell.
     */
    public static int sequence(byte[] bytes, int at, int end) {
        int lead = bytes[at];
        if (lead >= 0) {
            return 1;
        }
        lead &= 0xFF;
        if (lead < 0xC2 || lead > 0xF4) {
            return -1;
        }
        if (at + 1 == end) {
            return 0;
        }
        int second = bytes[at + 1] & 0xFF;
        int lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (second < lowest || second > highest) {
            return -1;
        }
        int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        for (int i = 2; i < length; i++) {
            if (at + i == end) {
                return 0;
            }
            if ((bytes[at + i] & 0xC0) != 0x80) {
                return -i;
            }
        }
        return length;
    }

    /** The offset of the first byte that is not part of valid UTF-8; {@code end} if all is valid. */
    public static int validUpTo(byte[] bytes, int from, int end) {
        int at = from;
        while (at < end) {
            int length = sequence(bytes, at, end);
            if (length <= 0) {
                return at;
            }
            at += length;
        }
        return at;
    }

    /** Where a sequence begins that the end cuts short; {@code end} if it cuts none. */
    public static int completeUpTo(byte[] bytes, int end) {
        for (int at = end - 1; at >= 0 && at >= end - 3; at--) {
            if (sequence(bytes, at, end) == 0) {
                return at;
            }
        }
        return end;
    }

    /** What a strict decoder says of the bytes; null if they are valid. In Rust's words. */
    public static @Nullable String problem(byte[] bytes) {
        int at = validUpTo(bytes, 0, bytes.length);
        if (at == bytes.length) {
            return null;
        }
        int length = sequence(bytes, at, bytes.length);
        return length == 0
                ? "incomplete utf-8 byte sequence from index " + at
                : "invalid utf-8 sequence of " + -length + " bytes from index " + at;
    }

    /** Decodes with one U+FFFD for each maximal bad subsequence. */
    public static String decodeLossy(byte[] bytes, int from, int end) {
        int valid = validUpTo(bytes, from, end);
        if (valid == end) {
            return new String(bytes, from, end - from, StandardCharsets.UTF_8);
        }
        StringBuilder text = new StringBuilder(end - from);
        int at = from;
        while (true) {
            text.append(new String(bytes, at, valid - at, StandardCharsets.UTF_8));
            if (valid == end) {
                return text.toString();
            }
            text.append(REPLACEMENT);
            int length = sequence(bytes, valid, end);
            if (length == 0) {
                return text.toString();
            }
            at = valid - length;
            valid = validUpTo(bytes, at, end);
        }
    }
}
