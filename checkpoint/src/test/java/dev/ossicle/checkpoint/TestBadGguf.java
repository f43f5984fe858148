package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files that are broken in one way each. */
class TestBadGguf {
    @TempDir
    Path folder;

    private Path file = Path.of("");
    private byte[] good = {};
    private ByteBuffer bytes = ByteBuffer.allocate(0);

    @BeforeEach
    void copyAGoodFile() throws IOException {
        file = folder.resolve("model.gguf");
        good = Files.readAllBytes(Fixtures.gguf("long"));
        bytes = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void assertRefused(String message) throws IOException {
        Files.write(file, bytes.array());
        assertThatThrownBy(() -> Checkpoint.open(file).close())
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(message);
    }

    /** Where this text stands first. */
    private int find(String text) {
        int at = new String(good, StandardCharsets.ISO_8859_1).indexOf(text);
        if (at < 0) {
            throw new AssertionError("no " + text + " in the fixture");
        }
        return at;
    }

    private int behind(String text) {
        return find(text) + text.length();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 'begins with nothing, expected 47 47 55 46 (GGUF)'",
        "3, 'begins with 47 47 55, expected'",
        "4, 'byte 4: expected 4 bytes of version, the file ends after 0'",
        "7, 'byte 4: expected 4 bytes of version, the file ends after 3'",
        "12, 'byte 8: expected 8 bytes of tensor count'",
        "16, 'byte 8: tensor count is 41, more than the file has room for'",
        "2000, 'byte'",
        "4000, 'tokenizer.ggml.tokens'",
        "5000, 'array length of key tokenizer.ggml.token_type is 288, more than the file has room for'",
        "12000, 'tensor'",
        "100000, 'of the data section, which has'"
    })
    void truncated(int length, String message) throws IOException {
        bytes = ByteBuffer.wrap(Arrays.copyOf(good, length));
        assertRefused(message);
    }

    @Test
    void otherMagicOrVersion() throws IOException {
        bytes.putInt(0, 0x04034B50);
        assertRefused("begins with 50 4b 03 04, expected 47 47 55 46 (GGUF)");
        bytes.putInt(0, 0x46554747).putInt(4, 2);
        assertRefused("byte 4: GGUF version is 2, expected 3 (little-endian)");
        bytes.putInt(4, 0x03000000);
        assertRefused("byte 4: GGUF version is 50331648, expected 3 (little-endian)");
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MAX_VALUE, -1, 1L << 40, 100_000})
    void hostileCounts(long count) throws IOException {
        bytes.putLong(8, count);
        assertRefused("byte 8: tensor count is " + Long.toUnsignedString(count) + ", more than the file has room for");
        bytes.put(8, good, 8, 0).putLong(8, 1).putLong(16, count);
        assertRefused("byte 16: key count is " + Long.toUnsignedString(count) + ", more than the file has room for");
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MAX_VALUE, -1, 1L << 40, 65_536})
    void hostileLengths(long length) throws IOException {
        String unsigned = Long.toUnsignedString(length);
        bytes.putLong(24, length);
        assertRefused("byte 24: length of key 0 is " + unsigned);
        copyAGoodFile();
        int value = behind("general.architecture") + 4;
        bytes.putLong(value, length);
        assertRefused(length == 65_536 ? "key" : "byte " + value + ": length of general.architecture is " + unsigned);
        copyAGoodFile();
        int array = behind("tokenizer.ggml.tokens") + 8;
        bytes.putLong(array, length);
        assertRefused(
                length == 65_536
                        ? "tokenizer.ggml.tokens"
                        : "byte " + array + ": array length of key tokenizer.ggml.tokens is " + unsigned);
        copyAGoodFile();
        int name = find("token_embd.weight") - 8;
        bytes.putLong(name, length);
        assertRefused("byte " + name + ": length of name of tensor 0 is " + unsigned);
    }

    @Test
    void keys() throws IOException {
        int type = behind("general.architecture");
        bytes.putInt(type, 13);
        assertRefused("byte " + type + ": key general.architecture has the type 13, expected 0 to 12");
        bytes.putInt(type, -1);
        assertRefused("key general.architecture has the type 4294967295, expected 0 to 12");
        copyAGoodFile();
        bytes.put(find("general.name"), "general.nane".getBytes(StandardCharsets.US_ASCII));
        bytes.put(find("gpt-oss.block_count"), "gpt-oss.block-count".getBytes(StandardCharsets.US_ASCII));
        assertRefused("key gpt-oss.block_count is missing, expected an integer");
        copyAGoodFile();
        bytes.put(
                find("gpt-oss.feed_forward_length"),
                "gpt-oss.context_length\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII));
        bytes.putInt(behind("gpt-oss.block_count"), 5).putInt(behind("gpt-oss.block_count") + 4, -1);
        assertRefused("layers is -1, must be between 1 and");
        copyAGoodFile();
        bytes.putInt(behind("gpt-oss.block_count"), 6);
        assertRefused("key gpt-oss.block_count is of type F32, expected an integer");
        copyAGoodFile();
        bytes.put(find("gpt-oss.block_count"), (byte) 0xC0);
        assertRefused("is not UTF-8");
        copyAGoodFile();
        bytes.putInt(behind("tokenizer.ggml.tokens") + 4, 9);
        assertRefused("key tokenizer.ggml.tokens is an array of arrays, expected numbers or strings");
    }

    @Test
    void tensors() throws IOException {
        int at = behind("blk.0.attn_norm.weight");
        bytes.putInt(at, 0);
        assertRefused("byte " + at + ": tensor blk.0.attn_norm.weight has 0 dimensions, expected 1 to 4");
        bytes.putInt(at, 5);
        assertRefused("has 5 dimensions, expected 1 to 4");
        bytes.putInt(at, 1).putLong(at + 4, 0);
        assertRefused("tensor blk.0.attn_norm.weight has a dimension of 0 values");
        bytes.putLong(at + 4, Long.MIN_VALUE);
        assertRefused("tensor blk.0.attn_norm.weight has a dimension of 9223372036854775808 values");
        bytes.putLong(at + 4, 1L << 50);
        assertRefused("tensor blk.0.attn_norm.weight has 4503599627370496 bytes at");
        bytes.putLong(at + 4, 63);
        assertRefused("tensor blk.0.attn_norm.weight has the shape [63], expected [64]");
        bytes.putLong(at + 4, 64).putInt(at + 12, 16);
        assertRefused("byte " + (at + 12)
                + ": tensor blk.0.attn_norm.weight has the type 16 (IQ2_XXS), expected one of [F32,");
        bytes.putInt(at + 12, 1 << 31);
        assertRefused("has the type 2147483648, expected one of");
        bytes.putInt(at + 12, 8);
        assertRefused("tensor blk.0.attn_norm.weight has the type Q8_0, expected BF16 or F16 or F32");
        bytes.putInt(at + 12, 0).putLong(at + 16, 16);
        assertRefused("byte " + (at + 16) + ": tensor blk.0.attn_norm.weight has the offset 16, expected a multiple");
        bytes.putLong(at + 16, -32);
        assertRefused("has the offset 18446744073709551584, expected a multiple");
        bytes.putLong(at + 16, Long.MAX_VALUE - 31);
        assertRefused("of the data section, which has");
        bytes.putLong(at + 16, 0);
        assertRefused(", inside tensor ");
        copyAGoodFile();
        int sinks = find("blk.0.attn_sinks.weight");
        bytes.put(sinks + 23 - 6, "WEIGHT".getBytes(StandardCharsets.US_ASCII));
        assertRefused("tensor blk.0.attn_sinks.weight is missing");
    }

    @Test
    void aTokenizerThatIsNotText() throws IOException {
        int token = behind("tokenizer.ggml.tokens") + 4 + 4 + 8 + 8;
        bytes.put(token, (byte) 0xFF);
        Files.write(file, bytes.array());
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThatThrownBy(checkpoint::tokenizer)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("tokenizer.ggml.tokens at byte " + token + " is not UTF-8");
        }
    }
}
