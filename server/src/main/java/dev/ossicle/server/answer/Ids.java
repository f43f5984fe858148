package dev.ossicle.server.answer;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names that nobody can guess: who knows the id of a stored response may read it. */
public final class Ids {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Ids() {}

    /** @param prefix says of what kind: {@code resp_} */
    public static String next(String prefix) {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return prefix + HexFormat.of().formatHex(bytes);
    }
}
