package dev.ossicle.engine;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Prefixes that outlive the process: the tokens of each, and what the model computed of them. Written as a whole when an engine
 * is closed, read when the next one is opened.
 *
 * @param path need not exist yet
 * @param model tells models apart whose keys and values differ
 */
public record PromptCacheFile(Path path, String model) {
    /** "OSSICLEK" and the version. */
    private static final long MAGIC = 0x4f535349434c454bL;

    private static final int VERSION = 1;

    /** A prefix. */
    record Entry(int[] tokens, KvSequence sequence) {}

    /**
     * @throws IOException if it cannot be read, was cut or damaged, or is another model's: nothing stays open then
     */
    List<Entry> read(ModelRunner runner) throws IOException {
        if (!Files.exists(path)) {
            return List.of();
        }
        CRC32C sum = new CRC32C();
        List<KvSequence> sequences = List.of();
        boolean complete = false;
        try (DataInputStream in = new DataInputStream(
                new CheckedInputStream(new BufferedInputStream(Files.newInputStream(path), 1 << 16), sum))) {
            if (in.readLong() != MAGIC) {
                throw new IOException(path + ": is no prompt cache");
            }
            int version = in.readInt();
            if (version != VERSION) {
                throw new IOException(path + ": is a prompt cache of version " + version + ", this is " + VERSION);
            }
            String written = in.readUTF();
            if (!written.equals(model)) {
                throw new OtherModelException(path + ": is the prompt cache of another model or precision");
            }
            List<int[]> texts = new ArrayList<>();
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                int length = in.readInt();
                if (length < 0 || length > runner.config().maxContext()) {
                    throw new IOException(path + ": is damaged: a prefix of " + length + " tokens");
                }
                int[] tokens = new int[length];
                for (int t = 0; t < length; t++) {
                    tokens[t] = in.readInt();
                }
                texts.add(tokens);
            }
            sequences = runner.read(in);
            long expected = sum.getValue();
            if (in.readLong() != expected) {
                throw new IOException(path + ": is damaged: its checksum is wrong");
            }
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < sequences.size(); i++) {
                if (sequences.size() != count || sequences.get(i).length() != texts.get(i).length) {
                    throw new IOException(path + ": is damaged: tokens and positions do not belong together");
                }
                entries.add(new Entry(texts.get(i), sequences.get(i)));
            }
            complete = true;
            return entries;
        } catch (EOFException e) {
            throw new IOException(path + ": was cut short", e);
        } finally {
            if (!complete) {
                sequences.forEach(KvSequence::close);
            }
        }
    }

    /** Written aside and renamed: a process that is killed leaves the old one. */
    void write(ModelRunner runner, List<Entry> entries) throws IOException {
        Path aside = path.resolveSibling(path.getFileName() + ".part");
        CRC32C sum = new CRC32C();
        try (DataOutputStream out = new DataOutputStream(
                new CheckedOutputStream(new BufferedOutputStream(Files.newOutputStream(aside), 1 << 16), sum))) {
            out.writeLong(MAGIC);
            out.writeInt(VERSION);
            out.writeUTF(model);
            out.writeInt(entries.size());
            for (Entry entry : entries) {
                out.writeInt(entry.tokens.length);
                for (int token : entry.tokens) {
                    out.writeInt(token);
                }
            }
            runner.write(entries.stream().map(Entry::sequence).toList(), out);
            out.writeLong(sum.getValue());
        }
        Files.move(aside, path, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Not an error of the file: another model was used. */
    static final class OtherModelException extends IOException {
        private static final long serialVersionUID = 1L;

        OtherModelException(String message) {
            super(message);
        }
    }
}
