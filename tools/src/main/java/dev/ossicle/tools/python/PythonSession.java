package dev.ossicle.tools.python;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.Arguments;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One conversation's Python: the body of a call is code, variables stay until the session is closed. An interpreter that died
 * is replaced by a fresh one at the next call, and the model is told. Calls from several threads wait for one another.
 */
public final class PythonSession implements ToolSession {
    private static final String SILENT =
            "[WARN] No output available. Use print() to output anything to stdout to receive the output";
    private static final Duration FILE_TIME = Duration.ofSeconds(30);
    private static final int MAX_FILE = 64 << 20;

    private final Sandbox sandbox;
    private final PythonLimits limits;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Interpreter interpreter;
    private volatile boolean closed;

    public PythonSession(Sandbox sandbox, PythonLimits limits) {
        this.sandbox = sandbox;
        this.limits = limits;
    }

    @Override
    public ToolNamespace namespace() {
        return ToolNamespace.python();
    }

    @Override
    public ToolOutput call(String function, String body) throws InterruptedException {
        if (!function.isEmpty()) {
            return Arguments.unknownFunction(function);
        }
        lock.lockInterruptibly();
        try {
            Interpreter.Reply reply =
                    interpreter().call(JsonObject.builder().put("do", "run").put("code", body), limits.callTime());
            String text = reply.text();
            if (reply.timedOut()) {
                text = text.strip() + "\n[ERROR] the code ran for more than "
                        + limits.callTime().toMillis() / 1000.0 + " seconds and was interrupted; variables are kept";
            }
            boolean ok = reply.answer().get("ok") instanceof JsonBoolean value && value.value() && !reply.timedOut();
            return new ToolOutput(text.isBlank() ? SILENT : text, !ok, files(reply.answer()), List.of());
        } catch (InterpreterException e) {
            return lost(e);
        } catch (InterruptedException e) {
            interpreter = null; // it was ended in the middle of something
            throw e;
        } finally {
            lock.unlock();
        }
    }

    private Interpreter interpreter() throws InterpreterException, InterruptedException {
        if (closed) {
            throw new InterpreterException("this session is closed");
        }
        Interpreter current = interpreter;
        if (current == null) {
            current = new Interpreter(sandbox, limits);
            interpreter = current;
        }
        return current;
    }

    private ToolOutput lost(InterpreterException e) {
        interpreter = null;
        return ToolOutput.failure(
                "[ERROR] " + e.getMessage() + "; all variables and files are gone, the next call starts afresh");
    }

    private static List<ToolFile> files(JsonObject answer) {
        List<ToolFile> files = new ArrayList<>();
        if (answer.get("files") instanceof JsonArray array) {
            for (Json each : array.elements()) {
                if (each instanceof JsonArray pair
                        && pair.size() == 2
                        && pair.get(0) instanceof JsonString name
                        && pair.get(1) instanceof JsonNumber bytes) {
                    files.add(new ToolFile(name.value(), (long) bytes.doubleValue()));
                }
            }
        }
        return files;
    }

    /** The files of the working folder, /mnt/data; a thousand at most. */
    public List<ToolFile> files() throws IOException, InterruptedException {
        return files(file(JsonObject.builder().put("do", "list")));
    }

    /** Up to 64 MiB of it. */
    @Override
    public byte[] file(String name) throws IOException, InterruptedException {
        JsonObject answer =
                file(JsonObject.builder().put("do", "read").put("name", name).put("most", MAX_FILE));
        if (!(answer.get("data") instanceof JsonString data)) {
            throw new IOException("/mnt/data/" + name + ": the interpreter sent no content");
        }
        byte[] bytes = Base64.getDecoder().decode(data.value());
        if (bytes.length > MAX_FILE) {
            throw new IOException("/mnt/data/" + name + " has more than " + MAX_FILE + " bytes");
        }
        return bytes;
    }

    /** Puts a file into the working folder, for the code to read. */
    public void write(String name, byte[] content) throws IOException, InterruptedException {
        file(JsonObject.builder()
                .put("do", "write")
                .put("name", name)
                .put("data", Base64.getEncoder().encodeToString(content)));
    }

    private JsonObject file(JsonObject.Builder command) throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            JsonObject answer = interpreter().call(command, FILE_TIME).answer();
            if (answer.get("error") instanceof JsonString error) {
                throw new IOException(error.value());
            }
            return answer;
        } catch (InterpreterException e) {
            throw new IOException(lost(e).text(), e);
        } catch (InterruptedException e) {
            interpreter = null;
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the interpreter; code that runs in another thread ends with it. */
    @Override
    public void close() {
        closed = true;
        Interpreter current = interpreter;
        if (current != null) {
            current.close();
        }
    }
}
