package dev.ossicle.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The block of a strip of Q8_0 that is being multiplied, and the one that comes next: while the last block of a strip is multiplied,
 * the first one of the strip that is expected next is copied, so that a thread does not wait at the start of each strip. One
 * thread's.
 */
final class LookAhead {
    /** Two blocks. */
    final byte[] w = new byte[2 * Strips.Format.Q8_0.blockBytes + Lanes.APART];

    /** Which of the two holds the first block of a strip. */
    int half;

    private long address;

    /** Sees to it that the first block of the strip is there. */
    void begin(long strip) {
        if (address != strip) {
            half = 0;
            MemorySegment.copy(Lanes.MEMORY, ValueLayout.JAVA_BYTE, strip, w, 0, Strips.Format.Q8_0.blockBytes);
        }
    }

    /** Says which half holds the first block of which strip now. */
    void end(int nextHalf, long nextAddress) {
        half = nextHalf;
        address = nextAddress;
    }
}
