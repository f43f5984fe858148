package dev.ossicle.server.http;

import dev.ossicle.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;
import org.jspecify.annotations.Nullable;

/**
 * An answer that comes in pieces: server-sent events, or JSON a line. Each is sent at once; a client that reads slowly holds
 * its own thread up and nobody else. Thread-safe.
 */
public final class EventStream {
    /** How the pieces are set apart. */
    public enum Format {
        EVENTS("text/event-stream; charset=utf-8"),
        LINES("application/x-ndjson");

        final String contentType;

        Format(String contentType) {
            this.contentType = contentType;
        }
    }

    private final Response response;
    private final Format format;
    private final Runnable whenGone;
    private final ReentrantLock lock = new ReentrantLock();
    private long lastWrite = System.nanoTime();
    private boolean ended;
    private volatile boolean gone;

    /** @param whenGone runs when it is found that nobody reads any more */
    EventStream(Response response, Format format, Runnable whenGone) {
        this.response = response;
        this.format = format;
        this.whenGone = whenGone;
        response.setStatus(200);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, format.contentType);
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-cache");
        response.getHeaders().put("x-accel-buffering", "no"); // or nginx would collect
    }

    /** @throws ClientGoneException if nobody reads any more */
    public void send(Json data) throws IOException {
        write(format == Format.LINES ? data + "\n" : "data: " + data + "\n\n");
    }

    /** The same with a line that says what kind it is. */
    public void send(String event, Json data) throws IOException {
        write("event: " + event + "\ndata: " + data + "\n\n");
    }

    /** The line that ends OpenAI's older streams. */
    public void done() throws IOException {
        write("data: [DONE]\n\n");
    }

    /**
     * Says that there is still somebody here, if nothing was said for so long: proxies and clients close what is silent, and a
     * client that has gone is found only by writing.
     */
    void keepAlive(long silentNanos) {
        // Whoever holds the lock is writing.
        if (lock.tryLock()) {
            try {
                if (!ended && !gone && System.nanoTime() - lastWrite >= silentNanos) {
                    if (format == Format.EVENTS) {
                        write(": ping\n\n");
                    }
                }
            } catch (IOException e) {
                // whenGone has been told
            } finally {
                lock.unlock();
            }
        }
    }

    private void write(String text) throws IOException {
        write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), false);
    }

    private void write(@Nullable ByteBuffer bytes, boolean last) throws IOException {
        lock.lock();
        try {
            if (ended) {
                return;
            }
            if (gone) {
                throw new ClientGoneException(new IOException("an earlier write failed"));
            }
            ended = last;
            Content.Sink.write(response, last, bytes);
            lastWrite = System.nanoTime();
        } catch (IOException e) {
            gone = true;
            whenGone.run();
            throw e instanceof ClientGoneException ? e : new ClientGoneException(e);
        } finally {
            lock.unlock();
        }
    }

    /** Completes the response. */
    void end() throws IOException {
        write(null, true);
    }
}
