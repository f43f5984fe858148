package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * What a pass reads beside weights and pages: tokens, positions, tables. Written here, then sent as one block to a fixed place,
 * so that a recorded graph finds it there. Two blocks take turns, since one may still be on its way.
 */
final class StepInputs implements AutoCloseable {
    private final int mostRows;
    private final int mostSequences;
    private final int mostPages;

    private final long faultAt;
    private final long positionAt;
    private final long sequenceAt;
    private final long wantedAt;
    private final long firstRowAt;
    private final long fullAt;
    private final long windowedAt;
    private final long tablesAt;

    private final DeviceMemory block;
    private final PinnedMemory[] pinned = new PinnedMemory[2];
    private final Event[] sent = new Event[2];
    private int turn;

    private int rows;
    private int sequences;
    private int wanted;
    /** Bytes in use, tables included. */
    private long end;

    /** @param mostPages of a table */
    StepInputs(int mostRows, int mostSequences, int mostPages, DeviceMemory block) {
        this.mostRows = mostRows;
        this.mostSequences = mostSequences;
        this.mostPages = mostPages;
        faultAt = 4L * mostRows;
        positionAt = faultAt + 4;
        sequenceAt = positionAt + 4L * mostRows;
        wantedAt = sequenceAt + 4L * mostRows;
        firstRowAt = wantedAt + 4L * mostRows;
        fullAt = (firstRowAt + 4L * (mostSequences + 1) + 7) & -8;
        windowedAt = fullAt + 8L * mostSequences;
        tablesAt = windowedAt + 8L * mostSequences;
        this.block = block;
        for (int i = 0; i < 2; i++) {
            pinned[i] = PinnedMemory.allocate(block.device(), block.bytes());
            sent[i] = Event.create(block.device());
        }
    }

    static long bytes(int mostRows, int mostSequences, int mostPages) {
        return 16L * mostRows + 4 + 4L * (mostSequences + 1) + 8 + 16L * mostSequences + 8L * mostSequences * mostPages;
    }

    private MemorySegment host() {
        return pinned[turn].segment();
    }

    /** An empty step. */
    void clear() {
        turn ^= 1;
        sent[turn].synchronize();
        rows = 0;
        sequences = 0;
        wanted = 0;
        end = tablesAt;
        host().set(JAVA_INT, faultAt, 0);
    }

    int rows() {
        return rows;
    }

    int sequences() {
        return sequences;
    }

    int wanted() {
        return wanted;
    }

    boolean isFull() {
        return rows == mostRows || sequences == mostSequences;
    }

    /** Rows that fit yet. */
    int left() {
        return mostRows - rows;
    }

    /**
     * Adds the next positions of a sequence, which has room for them.
     *
     * @param last how many of them need logits
     */
    void add(CudaKvSequence sequence, int position, int[] tokens, int from, int count, int last) {
        MemorySegment host = host();
        host.setAtIndex(JAVA_INT, firstRowAt / 4 + sequences, rows);
        for (int i = 0; i < count; i++, rows++) {
            host.setAtIndex(JAVA_INT, rows, tokens[from + i]);
            host.setAtIndex(JAVA_INT, positionAt / 4 + rows, position + i);
            host.setAtIndex(JAVA_INT, sequenceAt / 4 + rows, sequences);
            if (count - i <= last) {
                host.setAtIndex(JAVA_INT, wantedAt / 4 + wanted++, rows);
            }
        }
        int pages = KvPages.pages(position + count);
        assert pages <= mostPages && pages <= sequence.held() : pages + " pages";
        host.set(JAVA_LONG, fullAt + 8L * sequences, block.address() + end);
        host.set(JAVA_LONG, windowedAt + 8L * sequences, block.address() + end + 4L * pages);
        for (int page = 0; page < pages; page++) {
            host.set(JAVA_INT, end + 4L * page, sequence.fullPage(page));
            host.set(JAVA_INT, end + 4L * (pages + page), sequence.windowedPage(page));
        }
        end += 8L * pages;
        sequences++;
        host.setAtIndex(JAVA_INT, firstRowAt / 4 + sequences, rows);
    }

    /** Fills up to so many rows with ones that compute nothing. */
    void pad(int to) {
        for (int row = rows; row < to; row++) {
            host().setAtIndex(JAVA_INT, row, 0);
            host().setAtIndex(JAVA_INT, positionAt / 4 + row, -1);
            host().setAtIndex(JAVA_INT, sequenceAt / 4 + row, 0);
        }
        for (int i = wanted; i < to; i++) {
            host().setAtIndex(JAVA_INT, wantedAt / 4 + i, -1);
        }
    }

    /** @param tokens whether the tokens go too; if not, kernels write them there before */
    void send(Stream stream, boolean tokens) {
        long from = tokens ? 0 : faultAt;
        stream.copy(host().asSlice(from, end - from), block.slice(from, end - from));
        sent[turn].record(stream);
    }

    /** int [rows] */
    DeviceMemory token() {
        return block.slice(0, 4L * mostRows);
    }

    /** int [1], 0 when the step begins. */
    DeviceMemory fault() {
        return block.slice(faultAt, 4);
    }

    /** int [rows], -1 for rows that compute nothing. */
    DeviceMemory position() {
        return block.slice(positionAt, 4L * mostRows);
    }

    /** int [rows] */
    DeviceMemory sequence() {
        return block.slice(sequenceAt, 4L * mostRows);
    }

    /** int: rows whose logits are wanted, from the given one on. */
    DeviceMemory wantedRows(int first) {
        return block.slice(wantedAt + 4L * first, 4L * (mostRows - first));
    }

    /** int [sequences + 1] */
    DeviceMemory firstRow() {
        return block.slice(firstRowAt, 4L * (mostSequences + 1));
    }

    /** Tables of pages [sequences], of windowed or of full layers. */
    DeviceMemory tables(boolean ofWindowed) {
        return block.slice(ofWindowed ? windowedAt : fullAt, 8L * mostSequences);
    }

    @Override
    public void close() {
        for (int i = 0; i < 2; i++) {
            pinned[i].close();
            sent[i].close();
        }
    }
}
