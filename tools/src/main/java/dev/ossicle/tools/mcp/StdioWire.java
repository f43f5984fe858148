package dev.ossicle.tools.mcp;

import dev.ossicle.tools.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A process: a message is a line of its standard input or output. Its standard error is kept for when something goes wrong. */
final class StdioWire implements Wire {
    /** What programs need to find programs and files; the official SDKs hand on the same. */
    private static final List<String> HANDED_ON = List.of(
            "HOME",
            "LANG",
            "LC_ALL",
            "LOGNAME",
            "PATH",
            "SHELL",
            "TERM",
            "TMPDIR",
            "USER",
            "APPDATA",
            "HOMEDRIVE",
            "HOMEPATH",
            "LOCALAPPDATA",
            "PATHEXT",
            "PROCESSOR_ARCHITECTURE",
            "SYSTEMDRIVE",
            "SYSTEMROOT",
            "TEMP",
            "TMP",
            "USERNAME",
            "USERPROFILE");

    private static final int LAST_LINES = 12;
    private static final int LAST_LINE = 400;
    private static final long PATIENCE_MILLIS = 500;

    private final McpAddress.Command command;
    private final McpLimits limits;
    private final ReentrantLock writing = new ReentrantLock();
    private final Deque<String> lastLines = new ArrayDeque<>();
    private @Nullable Process process;
    private @Nullable Thread errors;
    private volatile boolean closed;

    StdioWire(McpAddress.Command command, McpLimits limits) {
        this.command = command;
        this.limits = limits;
    }

    @Override
    public void open(Listener listener) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command.words());
        Map<String, String> environment = new HashMap<>(command.environment());
        for (String name : HANDED_ON) {
            String value = System.getenv(name);
            if (value != null) {
                environment.putIfAbsent(name, value);
            }
        }
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process started;
        try {
            started = Processes.start(builder);
        } catch (IOException e) {
            throw new IOException("cannot be started: " + e.getMessage());
        }
        process = started;
        errors = Thread.ofVirtual().name("ossicle-mcp-errors").start(() -> readErrors(started.getErrorStream()));
        Thread.ofVirtual().name("ossicle-mcp-output").start(() -> read(started, listener));
    }

    private void read(Process from, Listener listener) {
        String why;
        try (InputStream output = from.getInputStream()) {
            LineReader lines = new LineReader(output, limits.message());
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    listener.message(line);
                }
            }
            why = ended(from);
        } catch (IOException e) {
            why = closed ? "closed" : e.getMessage();
        } catch (InterruptedException e) {
            why = "closed";
        }
        listener.ended(String.valueOf(why));
    }

    private String ended(Process from) throws InterruptedException {
        Thread reader = errors;
        if (reader != null) {
            reader.join(PATIENCE_MILLIS); // what it said comes over another pipe
        }
        return from.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
                ? "ended with exit status " + from.exitValue()
                : "closed its standard output";
    }

    private String goneOrDeaf(Process to) {
        try {
            String why = ended(to);
            return to.isAlive() ? "does not read its standard input any more" : why;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "closed";
        }
    }

    private void readErrors(InputStream from) {
        byte[] buffer = new byte[1 << 13];
        StringBuilder line = new StringBuilder();
        try (from) {
            for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
                // Decoded bit by bit: a character that is cut by a buffer's end looks odd in a message, no more.
                for (char c : new String(buffer, 0, count, StandardCharsets.UTF_8).toCharArray()) {
                    if (c == '\n') {
                        keep(line);
                    } else if (line.length() < LAST_LINE && (c >= ' ' || c == '\t')) {
                        line.append(c);
                    }
                }
            }
        } catch (IOException e) {
            // the process is gone
        }
        keep(line);
    }

    private void keep(StringBuilder line) {
        synchronized (lastLines) {
            if (!line.toString().isBlank()) {
                lastLines.add(line.toString());
            }
            if (lastLines.size() > LAST_LINES) {
                lastLines.remove();
            }
        }
        line.setLength(0);
    }

    @Override
    public String lastWords() {
        synchronized (lastLines) {
            return String.join("\n", lastLines);
        }
    }

    @Override
    public boolean send(String json, @Nullable String version, Exchange exchange) throws IOException {
        Process to = process;
        if (to == null || closed) {
            throw new IOException("closed");
        }
        writing.lock();
        try {
            OutputStream input = to.getOutputStream();
            input.write((json + "\n").getBytes(StandardCharsets.UTF_8)); // JSON has no line ends of its own
            input.flush();
        } catch (IOException e) {
            throw new IOException(goneOrDeaf(to), e);
        } finally {
            writing.unlock();
        }
        return true;
    }

    /** Ends the process and all that it started: by the end of its input, by a signal, by force. */
    @Override
    public void close() {
        closed = true;
        Process ending = process;
        if (ending == null) {
            return;
        }
        List<ProcessHandle> family = new ArrayList<>(ending.descendants().toList());
        boolean writable = writing.tryLock(); // else it does not read, and closing would wait for that
        try {
            if (writable) {
                ending.getOutputStream().close();
                ending.waitFor(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (IOException e) {
            // it does not read any more
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // no patience, then
        } finally {
            if (writable) {
                writing.unlock();
            }
        }
        family.addAll(ending.descendants().toList());
        ending.destroyForcibly();
        family.forEach(ProcessHandle::destroyForcibly);
    }
}
