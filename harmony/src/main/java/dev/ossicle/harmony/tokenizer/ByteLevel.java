package dev.ossicle.harmony.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The printable character that stands for each byte in the files of byte-level vocabularies, as GPT-2 chose them:
 * printable Latin-1 stands for itself, the others count up from U+0100.
 */
final class ByteLevel {
    private static final char[] CHARS = new char[256]; // by byte
    private static final short[] BYTES = new short[0x180]; // by character, or -1

    static {
        Arrays.fill(BYTES, (short) -1);
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            CHARS[b] = printable ? (char) b : next++;
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteLevel() {}

    /** The bytes that the characters stand for; null if one of them stands for none. */
    static byte @Nullable [] decode(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = text.charAt(i);
            if (c >= BYTES.length || BYTES[c] < 0) {
                return null;
            }
            bytes[i] = (byte) BYTES[c];
        }
        return bytes;
    }

    static String encode(byte[] bytes) {
        char[] chars = new char[bytes.length];
        for (int i = 0; i < chars.length; i++) {
            chars[i] = CHARS[bytes[i] & 0xFF];
        }
        return new String(chars);
    }
}
