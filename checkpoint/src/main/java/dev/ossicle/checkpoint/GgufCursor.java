package dev.ossicle.checkpoint;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads a GGUF header from front to back. Nothing is believed before it is known to lie in the file. */
final class GgufCursor {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The format's own limit for keys. */
    private static final int LONGEST_NAME = 65_535;

    /** Far above any chat template. */
    private static final int LONGEST_STRING = 4 << 20;

    private final MappedFile file;
    private long at;

    GgufCursor(MappedFile file, long at) {
        this.file = file;
        this.at = at;
    }

    long at() {
        return at;
    }

    int readInt(String what) {
        long start = at;
        skip(4, what);
        return file.data().get(INT, start);
    }

    long readLong(String what) {
        long start = at;
        skip(8, what);
        return file.data().get(LONG, start);
    }

    /** A count of things that take at least so many bytes each. */
    long readCount(long leastBytes, String what) {
        long start = at;
        long count = readLong(what);
        if (count < 0 || count > (file.size() - at) / leastBytes) {
            throw fail(start, what + " is " + Long.toUnsignedString(count) + ", more than the file has room for");
        }
        return count;
    }

    String readName(String what) {
        long start = at;
        long length = readLong("length of " + what);
        if (length < 0 || length > LONGEST_NAME) {
            throw fail(
                    start,
                    "length of " + what + " is " + Long.toUnsignedString(length) + ", expected at most "
                            + LONGEST_NAME);
        }
        long text = at;
        skip(length, what);
        return file.text(text, (int) length, what);
    }

    String readString(String what) {
        long length = readCount(1, "length of " + what);
        if (length > LONGEST_STRING) {
            throw fail(at - 8, "length of " + what + " is " + length + ", expected at most " + LONGEST_STRING);
        }
        long text = at;
        skip(length, what);
        return file.text(text, (int) length, what);
    }

    void skipString(String what) {
        skip(readCount(1, "length of " + what), what);
    }

    void skip(long bytes, String what) {
        if (bytes < 0 || bytes > file.size() - at) {
            throw fail(
                    at,
                    "expected " + bytes + " bytes of " + what + ", the file ends after "
                            + Math.max(0, file.size() - at));
        }
        at += bytes;
    }

    CheckpointException fail(long offset, String problem) {
        return new CheckpointException(file.path(), "byte " + offset + ": " + problem);
    }
}
