package dev.ossicle.tools;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Bytes of unknown origin as text. */
public final class Encoding {
    private static final Charset WESTERN = Charset.forName("windows-1252");
    private static final int SNIFFED = 8192;

    private Encoding() {}

    /**
     * A text in the encoding that its first bytes name, else in the declared one, else in UTF-8 if it is that, else in Latin-1
     * as it is used (windows-1252).
     *
     * @param declared elsewhere, or null
     * @return nothing if it has bytes that no text has
     */
    public static Optional<String> decode(byte[] bytes, @Nullable Charset declared) {
        if (starts(bytes, 0xEF, 0xBB, 0xBF)) {
            return Optional.of(new String(bytes, 3, bytes.length - 3, StandardCharsets.UTF_8));
        }
        if (starts(bytes, 0xFE, 0xFF)) {
            return Optional.of(new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16BE));
        }
        if (starts(bytes, 0xFF, 0xFE)) {
            return Optional.of(new String(bytes, 2, bytes.length - 2, StandardCharsets.UTF_16LE));
        }
        boolean wide = declared != null && declared.name().matches("UTF-(16|32).*");
        if (!wide && isBinary(bytes)) {
            return Optional.empty();
        }
        if (declared != null) {
            return Optional.of(new String(bytes, declared));
        }
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.of(new String(bytes, WESTERN));
        }
    }

    private static boolean starts(byte[] bytes, int... mark) {
        for (int i = 0; i < mark.length; i++) {
            if (i >= bytes.length || (bytes[i] & 0xFF) != mark[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether control characters are among the first bytes, other than those for layout and colour. */
    private static boolean isBinary(byte[] bytes) {
        for (int i = 0; i < Math.min(bytes.length, SNIFFED); i++) {
            int c = bytes[i] & 0xFF;
            if (c < 0x08 || c > 0x0D && c < 0x1B || c > 0x1B && c < 0x20 || c == 0x7F) {
                return true;
            }
        }
        return starts(bytes, '%', 'P', 'D', 'F', '-');
    }
}
