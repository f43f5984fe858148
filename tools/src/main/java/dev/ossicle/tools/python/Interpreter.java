package dev.ossicle.tools.python;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** One interpreter process in its sandbox. What comes out of it is hostile until proven otherwise. */
final class Interpreter implements AutoCloseable {
    private static final byte[] END = {};
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final int PAGE = 4096;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final PythonLimits limits;
    private final Process process;
    private final OutputStream commands;
    private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(16);
    private final Thread reader;
    private byte[] rest = {};

    /**
     * What a command came to.
     *
     * @param text that was printed
     * @param timedOut whether the code had to be interrupted
     */
    record Reply(String text, JsonObject answer, boolean timedOut) {}

    /** @throws InterpreterException if it cannot be started */
    Interpreter(Sandbox sandbox, PythonLimits limits) throws InterpreterException, InterruptedException {
        this.limits = limits;
        try {
            process = Processes.start(
                    sandbox.command(limits, Notebook.PROGRAM),
                    Map.of("PATH", System.getenv().getOrDefault("PATH", "/usr/bin:/bin")));
        } catch (IOException e) {
            throw new InterpreterException(sandbox.name() + " cannot be started: " + e.getMessage());
        }
        commands = process.getOutputStream();
        reader = Thread.ofVirtual().name("ossicle-python-output").start(this::read);
        try {
            send(JsonObject.builder()
                    .put("memory", limits.memory())
                    .put("cpu", limits.cpuTime().toSeconds())
                    .put("processes", limits.processes())
                    .build());
        } catch (IOException e) {
            // it has ended already: the first call says why
        }
    }

    private void read() {
        byte[] buffer = new byte[1 << 16];
        try (InputStream output = process.getInputStream()) {
            int count = output.read(buffer);
            while (count >= 0) {
                chunks.put(Arrays.copyOf(buffer, count));
                count = output.read(buffer);
            }
        } catch (IOException e) {
            // the process is gone
        } catch (InterruptedException e) {
            return; // closed: nobody reads any more
        }
        try {
            chunks.put(END);
        } catch (InterruptedException e) {
            // nobody waits for the end
        }
    }

    private void send(JsonObject command) throws IOException {
        commands.write((command + "\n").getBytes(StandardCharsets.UTF_8));
        commands.flush();
    }

    /**
     * Lets the notebook do something and waits for it.
     *
     * @param command without its mark
     * @throws InterpreterException if the interpreter is gone or had to be ended; then it is closed
     * @throws InterruptedException after which it is closed too
     */
    Reply call(JsonObject.Builder command, Duration time) throws InterpreterException, InterruptedException {
        String mark = "ossicle-" + HexFormat.of().formatHex(random());
        MarkedOutput output = new MarkedOutput(mark, limits.output());
        boolean completed = false;
        try {
            sendCommand(command.put("mark", mark).build(), output);
            boolean timedOut = await(output, time);
            String line = output.answer();
            if (line == null || !(Json.parse(line) instanceof JsonObject answer)) {
                throw new InterpreterException("the interpreter's answer is not understood");
            }
            rest = output.rest();
            completed = true;
            return new Reply(output.text(), answer, timedOut);
        } catch (JsonException e) {
            throw new InterpreterException("the interpreter's answer is not understood: " + e.getMessage());
        } finally {
            if (!completed) {
                close();
            }
        }
    }

    private void sendCommand(JsonObject command, MarkedOutput output)
            throws InterpreterException, InterruptedException {
        try {
            send(command);
        } catch (IOException e) {
            throw gone(output);
        }
    }

    /** Whether the time was over and the code stopped when told to. */
    private boolean await(MarkedOutput output, Duration time) throws InterpreterException, InterruptedException {
        output.take(rest);
        rest = new byte[0];
        long now = System.nanoTime();
        long deadline = now + time.toNanos();
        long look = now + LOOK_NANOS;
        boolean timedOut = false;
        while (output.answer() == null) {
            byte[] chunk = chunks.poll(Math.max(0, Math.min(deadline, look) - now), TimeUnit.NANOSECONDS);
            if (chunk == END) {
                throw gone(output);
            }
            if (chunk != null) {
                output.take(chunk);
            }
            now = System.nanoTime();
            if (now >= look) {
                watchMemory(output);
                look = now + LOOK_NANOS;
            }
            if (now >= deadline && output.answer() == null) {
                if (timedOut) {
                    throw new InterpreterException(said(output) + "the code ran for more than "
                            + time.toMillis() / 1000.0 + " seconds and did not stop when it was interrupted");
                }
                timedOut = true;
                deadline = now + GRACE_NANOS;
                try {
                    send(JsonObject.builder().put("do", "interrupt").build());
                } catch (IOException e) {
                    throw gone(output);
                }
            }
        }
        return timedOut;
    }

    /** The kernel limits each process, and there may be many. */
    private void watchMemory(MarkedOutput output) throws InterpreterException {
        long pages = 0;
        for (ProcessHandle child : process.descendants().toList()) {
            try {
                String[] sizes = Files.readString(Path.of("/proc", Long.toString(child.pid()), "statm"))
                        .strip()
                        .split(" ");
                pages += Long.parseLong(sizes[1]) - Long.parseLong(sizes[2]); // resident, of which shared with files
            } catch (IOException | RuntimeException e) {
                // gone meanwhile, or no such file on this system
            }
        }
        if (pages * PAGE > limits.memory()) {
            throw new InterpreterException(
                    said(output) + "all processes together took more than " + limits.memory() + " bytes of memory");
        }
    }

    private InterpreterException gone(MarkedOutput output) throws InterruptedException {
        process.waitFor(5, TimeUnit.SECONDS);
        for (byte[] chunk = chunks.poll(); chunk != null && chunk != END; chunk = chunks.poll()) {
            try {
                output.take(chunk);
            } catch (InterpreterException e) {
                return e;
            }
        }
        String status = process.isAlive() ? "" : " (exit status " + process.exitValue() + ")";
        return new InterpreterException(said(output) + "the interpreter ended" + status);
    }

    private static String said(MarkedOutput output) {
        String text = output.text().strip();
        return text.isEmpty() ? "" : text + "\n";
    }

    private static byte[] random() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    /** Ends it and everything that it started. */
    @Override
    public void close() {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        reader.interrupt();
        chunks.clear();
        try {
            commands.close();
        } catch (IOException e) {
            // its reader is gone
        }
        process.onExit().join();
    }
}
