package dev.ossicle.tools.mcp;

import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolOutput;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A server by its label. It is connected when it is first needed, and again when the connection was lost; any number of
 * conversations may share it.
 */
public final class McpServer implements AutoCloseable {
    private final String label;
    private final McpAddress address;
    private final McpLimits limits;
    private final ReentrantLock opening = new ReentrantLock();
    private @Nullable McpConnection connection;
    private volatile @Nullable Thread opener;
    private volatile boolean closed;

    /** @param label that its functions begin with, and messages name it by */
    public McpServer(String label, McpAddress address, McpLimits limits) {
        this.label = label;
        this.address = address;
        this.limits = limits;
    }

    public String label() {
        return label;
    }

    /** What the names of its functions begin with. */
    public String prefix() {
        return FunctionNames.prefix(label);
    }

    McpLimits limits() {
        return limits;
    }

    private McpConnection connection() throws McpException, InterruptedException {
        opening.lockInterruptibly();
        try {
            if (closed) {
                throw new McpException("MCP server " + label + " is closed");
            }
            McpConnection current = connection;
            if (current != null && current.isOpen()) {
                return current;
            }
            if (current != null) {
                current.close();
            }
            connection = null;
            opener = Thread.currentThread();
            McpConnection fresh = new McpConnection(label, address, limits);
            connection = fresh;
            return fresh;
        } catch (InterruptedException e) {
            if (closed) {
                throw new McpException("MCP server " + label + " is closed");
            }
            throw e;
        } finally {
            opener = null;
            opening.unlock();
        }
    }

    /**
     * What it offers now.
     *
     * @throws McpException if it cannot be reached, or lists what it may not
     */
    public List<McpTool> tools() throws McpException, InterruptedException {
        return connection().tools();
    }

    /** What it says on how to use it; empty if nothing. */
    String instructions() throws McpException, InterruptedException {
        return connection().instructions();
    }

    /** What goes wrong is an output that says so. */
    ToolOutput call(String tool, JsonObject arguments) throws InterruptedException {
        try {
            return connection().call(tool, arguments);
        } catch (McpException e) {
            return ToolOutput.failure("error: " + e.getMessage());
        }
    }

    /** Ends the connection; with it, the process and its children. */
    @Override
    public void close() {
        closed = true;
        Thread connecting = opener;
        if (connecting != null) {
            connecting.interrupt(); // it may wait for a server that never gets ready
        }
        opening.lock();
        try {
            McpConnection current = connection;
            if (current != null) {
                current.close();
            }
            connection = null;
        } finally {
            opening.unlock();
        }
    }
}
