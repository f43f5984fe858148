package dev.ossicle.server.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A connection that can be asked whether its client is still there while an answer is being made. HTTP/1.1 has no other way
 * to know before the first byte is written: what is read ahead for the question is kept for whoever reads next.
 */
final class PeekingEndPoint extends SocketChannelEndPoint {
    private static final int AHEAD_BYTES = 4096;

    private final ByteBuffer ahead = ByteBuffer.allocate(AHEAD_BYTES).flip(); // readable
    private boolean ended;

    PeekingEndPoint(SocketChannel channel, ManagedSelector selector, SelectionKey key, Scheduler scheduler) {
        super(channel, selector, key, scheduler);
    }

    /** Whether the client has closed its side, as nobody does who waits for an answer. */
    synchronized boolean isAbandoned() {
        if (ended || !isOpen()) {
            return true;
        }
        ahead.compact();
        try {
            while (ahead.hasRemaining()) {
                int count = getChannel().read(ahead);
                if (count < 0) {
                    ended = true;
                }
                if (count <= 0) {
                    break;
                }
            }
        } catch (IOException e) {
            ended = true;
        } finally {
            ahead.flip();
        }
        return ended;
    }

    @Override
    public synchronized int fill(ByteBuffer buffer) throws IOException {
        if (ahead.hasRemaining()) {
            int position = BufferUtil.flipToFill(buffer);
            try {
                return BufferUtil.put(ahead, buffer);
            } finally {
                BufferUtil.flipToFlush(buffer, position);
            }
        }
        return super.fill(buffer);
    }

    @Override
    public SocketChannel getChannel() {
        return super.getChannel();
    }
}
