package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.CheckpointException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** What both containers share: a header, then tensors at known places, in a file that appears only when it is whole. */
final class TensorFile {
    private TensorFile() {}

    /**
     * @param alignment of each tensor, counted from the end of the header
     */
    static void write(Path path, byte[] header, List<OutputTensor> tensors, int alignment, Progress progress) {
        long total = header.length;
        for (OutputTensor tensor : tensors) {
            total += aligned(tensor.bytes(), alignment);
        }
        Path partial = path.resolveSibling(path.getFileName() + ".partial");
        try {
            Path folder = path.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
                long free = Files.getFileStore(folder).getUsableSpace();
                if (free < total) {
                    throw new CheckpointException(path, "needs " + total + " bytes, its disk has " + free + " left");
                }
            }
            writePartial(partial, path, header, tensors, alignment, total, progress);
            Files.move(partial, path, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CheckpointException(path, "cannot be written: " + e, e);
        } finally {
            deleteIfThere(partial);
        }
    }

    private static void writePartial(
            Path partial,
            Path path,
            byte[] header,
            List<OutputTensor> tensors,
            int alignment,
            long total,
            Progress progress)
            throws IOException {
        try (CountingStream out = new CountingStream(
                new BufferedOutputStream(Files.newOutputStream(partial), 1 << 20), total, progress)) {
            out.write(header);
            for (OutputTensor tensor : tensors) {
                long start = out.written;
                try {
                    tensor.content().writeTo(out);
                } catch (IllegalArgumentException e) {
                    throw new CheckpointException(path, "tensor " + tensor.name() + ", " + e.getMessage(), e);
                }
                long bytes = out.written - start;
                if (bytes != tensor.bytes()) {
                    throw new IllegalStateException(
                            "tensor " + tensor.name() + " came to " + bytes + " bytes, not " + tensor.bytes());
                }
                out.write(new byte[(int) (aligned(bytes, alignment) - bytes)]);
            }
            progress.bytes(out.written, total);
        }
    }

    static long aligned(long bytes, int alignment) {
        return (bytes + alignment - 1) / alignment * alignment;
    }

    private static void deleteIfThere(Path partial) {
        try {
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            // The reason why it could not be written is the one to hear of.
        }
    }

    private static final class CountingStream extends OutputStream {
        private static final long STEP = 16 << 20;

        private final OutputStream out;
        private final long total;
        private final Progress progress;
        private long written;
        private long nextReport = STEP;

        CountingStream(OutputStream out, long total, Progress progress) {
            this.out = out;
            this.total = total;
            this.progress = progress;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            count(1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            count(length);
        }

        private void count(int bytes) {
            written += bytes;
            if (written >= nextReport) {
                progress.bytes(written, total);
                nextReport = written + STEP;
            }
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }
}
