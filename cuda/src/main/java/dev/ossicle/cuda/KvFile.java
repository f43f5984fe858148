package dev.ossicle.cuda;

import dev.ossicle.engine.KvSequence;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Sequences in a file: pages, those that are shared once, then which of them each sequence has. */
final class KvFile {
    private record Page(int page, boolean windowed) {}

    private KvFile() {}

    /** @param shape what must be the same where it is read */
    static void write(KvPages pages, String shape, List<KvSequence> sequences, DataOutputStream out)
            throws IOException {
        Map<Page, Integer> numbers = new LinkedHashMap<>();
        ByteArrayOutputStream tables = new ByteArrayOutputStream();
        for (KvSequence each : sequences) {
            ((CudaKvSequence) each)
                    .write(
                            new DataOutputStream(tables),
                            (page, windowed) -> numbers.computeIfAbsent(new Page(page, windowed), p -> numbers.size()));
        }
        out.writeUTF(shape);
        out.writeInt(numbers.size());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate(pages.contentBytes(true));
            for (Page each : numbers.keySet()) {
                pages.load(each.page, each.windowed, content);
                out.writeBoolean(each.windowed);
                out.write(content.asSlice(0, pages.contentBytes(each.windowed)).toArray(ValueLayout.JAVA_BYTE));
            }
        }
        out.writeInt(sequences.size());
        tables.writeTo(out);
    }

    /** @throws IOException if it is of another shape, or there is no room for it; no page stays taken then */
    static void read(KvPages pages, String shape, DataInputStream in, Supplier<CudaKvSequence> empty)
            throws IOException {
        String written = in.readUTF();
        if (!written.equals(shape)) {
            throw new IOException("it was written for " + written + ", this is " + shape);
        }
        int count = in.readInt();
        if (count < 0 || count > pages.free()) {
            throw new IOException("it has " + count + " pages, the GPU has room for " + pages.free());
        }
        List<Page> taken = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate(pages.contentBytes(true));
            for (int i = 0; i < count; i++) {
                boolean windowed = in.readBoolean();
                byte[] bytes = new byte[pages.contentBytes(windowed)];
                in.readFully(bytes);
                MemorySegment.copy(bytes, 0, content, ValueLayout.JAVA_BYTE, 0, bytes.length);
                Page page = new Page(pages.take(), windowed);
                taken.add(page);
                pages.store(page.page, windowed, content);
            }
            int sequences = in.readInt();
            for (int i = 0; i < sequences; i++) {
                empty.get().read(in, (number, windowed) -> page(taken, number, windowed));
            }
        } finally {
            taken.forEach(each -> pages.release(each.page)); // its sequences hold it
        }
    }

    private static int page(List<Page> taken, int number, boolean windowed) throws IOException {
        if (number < 0 || number >= taken.size() || taken.get(number).windowed != windowed) {
            throw new IOException("it names page " + number + " of " + taken.size() + " where there is none such");
        }
        return taken.get(number).page;
    }
}
