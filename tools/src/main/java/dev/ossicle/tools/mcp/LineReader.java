package dev.ossicle.tools.mcp;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8 that somebody else writes: none is kept beyond a limit. */
final class LineReader {
    private final InputStream in;
    private final int limit;
    private final byte[] buffer = new byte[1 << 15];
    private int start;
    private int end;
    private boolean afterReturn;

    /** @param limit bytes of a line */
    LineReader(InputStream in, int limit) {
        this.in = in;
        this.limit = limit;
    }

    /**
     * The next line without its end, which is LF, CR LF or CR; null at the end of the stream.
     *
     * @throws IOException also if the line is longer than it may be
     */
    @Nullable
    String next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        boolean any = false;
        while (true) {
            if (start == end) {
                int count = in.read(buffer);
                if (count < 0) {
                    return any ? line.toString(StandardCharsets.UTF_8) : null;
                }
                start = 0;
                end = count;
            }
            if (afterReturn && start < end) {
                afterReturn = false;
                if (buffer[start] == '\n') {
                    start++;
                    continue;
                }
            }
            int stop = start;
            while (stop < end && buffer[stop] != '\n' && buffer[stop] != '\r') {
                stop++;
            }
            if (line.size() + (stop - start) > limit) {
                throw new IOException("sent a message of more than " + limit + " bytes");
            }
            line.write(buffer, start, stop - start);
            any = true;
            start = stop;
            if (stop < end) {
                afterReturn = buffer[stop] == '\r';
                start++;
                return line.toString(StandardCharsets.UTF_8);
            }
        }
    }
}
