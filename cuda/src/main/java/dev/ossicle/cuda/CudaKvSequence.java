package dev.ossicle.cuda;

import static dev.ossicle.cuda.KvPages.POSITIONS;

import dev.ossicle.engine.KvSequence;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * Which pages hold the keys and values of one sequence. Full layers keep all of them. Windowed ones give back what lies behind
 * the window and some slack, so that short steps back are exact. Forks share pages; the last, partial one is copied before one
 * of the two writes to it.
 */
final class CudaKvSequence implements KvSequence {
    /** Positions behind the window that are kept for steps back. */
    static final int SLACK = 128;

    private final CudaModelRunner runner;
    private final KvPages pages;
    private final int window;
    private final int maxContext;

    /** Page of each {@link KvPages#POSITIONS} positions, [held]. */
    private int[] full = new int[4];
    /** The same of the windowed layers, [held]; nothing below {@link #firstInWindow}. */
    private int[] windowed = new int[4];

    private int held;
    private int firstInWindow;
    private int length;
    private boolean closed;

    CudaKvSequence(CudaModelRunner runner, KvPages pages, int window, int maxContext) {
        this.runner = runner;
        this.pages = pages;
        this.window = window;
        this.maxContext = maxContext;
    }

    /** The most pages of windowed layers that a sequence holds between two passes. */
    static int windowPages(int window) {
        return KvPages.pages(window + SLACK) + 1;
    }

    boolean isOf(CudaModelRunner other) {
        return runner == other && !closed;
    }

    /** The most pages that so many more positions take, in passes of so many rows. */
    int pagesFor(int positions, int passRows) {
        int more = Math.max(0, KvPages.pages(length + positions) - held);
        int atOnce = KvPages.pages(passRows) + windowPages(window);
        return more + Math.min(more, atOnce) + (endIsShared() ? 2 : 0);
    }

    private boolean endIsShared() {
        int last = length / POSITIONS;
        return length % POSITIONS != 0 && (pages.isShared(full[last]) || pages.isShared(windowed[last]));
    }

    /** Makes room for so many more positions, in pages that no other sequence reads beyond its own end. */
    void reserve(int positions) {
        int last = length / POSITIONS;
        if (length % POSITIONS != 0) {
            full[last] = own(full[last], false);
            windowed[last] = own(windowed[last], true);
        }
        int needed = KvPages.pages(length + positions);
        if (needed > full.length) {
            int capacity = Math.max(needed, full.length + full.length / 2);
            full = Arrays.copyOf(full, capacity);
            windowed = Arrays.copyOf(windowed, capacity);
        }
        for (; held < needed; held++) {
            full[held] = pages.take();
            windowed[held] = pages.take();
        }
    }

    private int own(int page, boolean inWindow) {
        return pages.isShared(page) ? pages.unshare(page, inWindow) : page;
    }

    /** So many more positions are there, or will be when the stream has come to them. */
    void advance(int positions) {
        length += positions;
        int keptFrom = Math.max(0, length - window - SLACK) / POSITIONS;
        for (; firstInWindow < keptFrom; firstInWindow++) {
            pages.release(windowed[firstInWindow]);
        }
    }

    /** Pages of all positions. */
    int held() {
        return held;
    }

    int fullPage(int index) {
        return full[index];
    }

    /** The lowest page where there is none any more: nobody reads it. */
    int windowedPage(int index) {
        return index < firstInWindow ? 0 : windowed[index];
    }

    @Override
    public int length() {
        checkOpen();
        return length;
    }

    @Override
    public int maxContext() {
        return maxContext;
    }

    @Override
    public int truncatableTo() {
        checkOpen();
        return firstInWindow == 0 ? 0 : Math.min(length, firstInWindow * POSITIONS + window - 1);
    }

    @Override
    public void truncate(int newLength) {
        int shortest = truncatableTo();
        if (newLength != 0 && (newLength < shortest || newLength > length)) {
            throw new IllegalArgumentException("length is " + newLength + ", must be 0 or between " + shortest + " and "
                    + length + ": windowed layers keep no more");
        }
        int kept = KvPages.pages(newLength);
        releaseFrom(kept);
        held = kept;
        length = newLength;
        if (newLength == 0) {
            firstInWindow = 0;
        }
    }

    private void releaseFrom(int first) {
        for (int i = first; i < held; i++) {
            pages.release(full[i]);
        }
        for (int i = Math.max(first, firstInWindow); i < held; i++) {
            pages.release(windowed[i]);
        }
    }

    @Override
    public KvSequence fork() {
        checkOpen();
        CudaKvSequence fork = runner.newSequence(maxContext);
        fork.full = full.clone();
        fork.windowed = windowed.clone();
        fork.held = KvPages.pages(length);
        fork.firstInWindow = firstInWindow;
        fork.length = length;
        fork.shareAll();
        return fork;
    }

    /** @param number of a page of windowed layers or of full ones, in the order in which they were first asked for */
    void write(DataOutputStream out, PageNumbers number) throws IOException {
        checkOpen();
        int count = KvPages.pages(length);
        out.writeInt(length);
        out.writeInt(firstInWindow);
        for (int i = 0; i < count; i++) {
            out.writeInt(number.of(full[i], false));
        }
        for (int i = firstInWindow; i < count; i++) {
            out.writeInt(number.of(windowed[i], true));
        }
    }

    /** @param page by its number; the sequence shares it from here on */
    void read(DataInputStream in, PageNumbers page) throws IOException {
        int newLength = in.readInt();
        int first = in.readInt();
        int count = KvPages.pages(newLength);
        if (newLength < 0
                || newLength > maxContext
                || first < 0
                || first > Math.max(0, newLength - window) / POSITIONS) {
            throw new IOException("a sequence of " + newLength + " positions, windowed from page " + first
                    + ", makes no sense in a context of " + maxContext);
        }
        int[] newFull = new int[Math.max(4, count)];
        int[] newWindowed = new int[newFull.length];
        for (int i = 0; i < count; i++) {
            newFull[i] = page.of(in.readInt(), false);
        }
        for (int i = first; i < count; i++) {
            newWindowed[i] = page.of(in.readInt(), true);
        }
        full = newFull;
        windowed = newWindowed;
        held = count;
        firstInWindow = first;
        length = newLength;
        shareAll();
    }

    /** Translates pages to numbers in a file, or back. */
    interface PageNumbers {
        int of(int page, boolean ofWindowed) throws IOException;
    }

    private void shareAll() {
        for (int i = 0; i < held; i++) {
            pages.share(full[i]);
        }
        for (int i = firstInWindow; i < held; i++) {
            pages.share(windowed[i]);
        }
    }

    @Override
    public long bytes() {
        checkOpen();
        return (2L * held - firstInWindow) * runner.pageBytes();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            releaseFrom(0);
            held = 0;
            runner.forget(this);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
    }
}
