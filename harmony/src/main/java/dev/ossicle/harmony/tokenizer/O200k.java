package dev.ossicle.harmony.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.zip.CRC32;

/** o200k_harmony: the o200k_base vocabulary, a resource beside this class, with Harmony's special tokens behind it. */
final class O200k {
    static final String RESOURCE = "o200k_base.tiktoken";
    static final int LENGTH = 3_613_922;

    /** What tiktoken and Harmony pin. A test holds the resource to it; loading, where 0.1 s counts, to the other. */
    static final String SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";

    private static final int CRC32 = 0x2B33_BBC2;

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

    private static final byte[] SEXTETS = new byte[128]; // what a Base64 character stands for; 0 for '='

    static {
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int i = 0; i < alphabet.length(); i++) {
            SEXTETS[alphabet.charAt(i)] = (byte) i;
        }
    }

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
            for (; file[at] != ' '; at += 4) {
                int bits = SEXTETS[file[at]] << 18
                        | SEXTETS[file[at + 1]] << 12
                        | SEXTETS[file[at + 2]] << 6
                        | SEXTETS[file[at + 3]];
                bytes[length] = (byte) (bits >> 16);
                bytes[length + 1] = (byte) (bits >> 8);
                bytes[length + 2] = (byte) bits;
                length += file[at + 3] != '=' ? 3 : file[at + 2] != '=' ? 2 : 1;
            }
            do {
                at++;
            } while (file[at] != '\n');
            at++;
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

    static byte[] read() {
        byte[] file = new byte[LENGTH];
        int length;
        try (InputStream in = O200k.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing beside " + O200k.class + ": the jar is broken");
            }
            length = in.readNBytes(file, 0, LENGTH);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        CRC32 checksum = new CRC32();
        checksum.update(file);
        if (length != LENGTH || (int) checksum.getValue() != CRC32) {
            throw new IllegalStateException(
                    RESOURCE + " is not the file with the sha256 " + SHA256 + ": the jar is broken");
        }
        return file;
    }
}
