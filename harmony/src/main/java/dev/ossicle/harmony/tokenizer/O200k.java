package dev.ossicle.harmony.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.Map;

/** o200k_harmony: the o200k_base vocabulary, a resource beside this class, with Harmony's special tokens behind it. */
final class O200k {
    private static final String RESOURCE = "o200k_base.tiktoken";
    private static final String SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";

    private static final int ORDINARY = 199_998;
    private static final int LAST_SPECIAL = 201_088;
    private static final Map<Integer, String> NAMED = Map.of(
            199_998, "<|startoftext|>",
            199_999, "<|endoftext|>",
            200_002, "<|return|>",
            200_003, "<|constrain|>",
            200_005, "<|channel|>",
            200_006, "<|start|>",
            200_007, "<|end|>",
            200_008, "<|message|>",
            200_012, "<|call|>");

    /** Made when it is first asked for. */
    static final Tokenizer TOKENIZER = load();

    private O200k() {}

    private static Tokenizer load() {
        byte[] file = read();
        byte[] bytes = new byte[file.length];
        int[] starts = new int[LAST_SPECIAL + 2];
        int length = 0;
        int at = 0;
        for (int id = 0; id < ORDINARY; id++) {
            starts[id] = length;
            // A line is the token in Base64, a space and the id; the ids count up from 0.
            int bits = 0;
            int pending = 0;
            for (; file[at] != ' ' && file[at] != '='; at++) {
                pending = pending << 6 | sextet(file[at]);
                bits += 6;
                if (bits >= 8) {
                    bits -= 8;
                    bytes[length++] = (byte) (pending >> bits);
                }
            }
            while (file[at++] != '\n') {}
        }
        BitSet special = new BitSet(LAST_SPECIAL + 1);
        SpecialTokens.Builder names = new SpecialTokens.Builder();
        for (int id = ORDINARY; id <= LAST_SPECIAL; id++) {
            starts[id] = length;
            String name = NAMED.getOrDefault(id, "<|reserved_" + id + "|>");
            byte[] literal = name.getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(literal, 0, bytes, length, literal.length);
            length += literal.length;
            special.set(id);
            names.add(name, id);
        }
        starts[LAST_SPECIAL + 1] = length;
        Vocabulary vocabulary = new Vocabulary(Arrays.copyOf(bytes, length + Vocabulary.PADDING), starts, special);
        return new Tokenizer(vocabulary, new MergeRule.ByToken(vocabulary), true, new O200kSplitter(), names.build());
    }

    private static byte[] read() {
        byte[] file;
        try (InputStream in = O200k.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing beside " + O200k.class + ": the jar is broken");
            }
            file = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            String found = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(file));
            if (!found.equals(SHA256)) {
                throw new IllegalStateException(
                        RESOURCE + " has the sha256 " + found + ", expected " + SHA256 + ": the jar is broken");
            }
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
        return file;
    }

    private static int sextet(byte c) {
        return c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A' : c >= '0' ? c - '0' + 52 : c == '+' ? 62 : 63;
    }
}
