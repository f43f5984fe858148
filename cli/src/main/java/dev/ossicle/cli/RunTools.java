package dev.ossicle.cli;

import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.mcp.McpException;
import dev.ossicle.tools.mcp.McpServer;
import dev.ossicle.tools.mcp.McpSession;
import dev.ossicle.tools.patch.ApplyPatchSession;
import dev.ossicle.tools.patch.Workspace;
import dev.ossicle.tools.python.PythonLimits;
import dev.ossicle.tools.python.PythonSession;
import dev.ossicle.tools.python.Sandbox;
import dev.ossicle.tools.python.Sandboxes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The tools that a command line switches on, open until this is closed. */
final class RunTools implements AutoCloseable {
    private final List<ToolSession> sessions = new ArrayList<>();
    private final List<BrowserTool> browsers = new ArrayList<>();
    private final List<McpServer> servers;

    private RunTools(List<McpServer> servers) {
        this.servers = servers;
    }

    /**
     * Opens tools.
     *
     * @param names {@code python}, {@code browser=FOLDER}, {@code apply_patch} or {@code apply_patch=FOLDER}
     * @param servers that are connected now, since the model has to be told what they offer
     * @param err is told which are
     * @throws UsageException if there is no such tool, or it cannot work here
     * @throws IOException if a server cannot be used
     */
    static RunTools open(List<String> names, List<McpServer> servers, PrintWriter err)
            throws IOException, InterruptedException {
        RunTools tools = new RunTools(servers);
        boolean complete = false;
        try {
            for (String name : names) {
                tools.sessions.add(tools.named(name, err));
            }
            for (McpServer server : servers) {
                McpSession session = new McpSession(server);
                tools.sessions.add(session);
                err.println("ossicle: MCP server " + server.label() + " offers "
                        + session.namespace().tools().size() + " tools");
            }
            complete = true;
            return tools;
        } catch (McpException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            if (!complete) {
                tools.close();
            }
        }
    }

    private ToolSession named(String name, PrintWriter err) throws IOException, InterruptedException {
        int mark = name.indexOf('=');
        String argument = mark < 0 ? "" : name.substring(mark + 1);
        return switch (mark < 0 ? name : name.substring(0, mark)) {
            case "python" -> new PythonSession(sandbox(), PythonLimits.DEFAULT);
            case "apply_patch" -> applyPatch(argument.isEmpty() ? "." : argument);
            case "browser" -> browser(argument, err);
            default ->
                throw new UsageException("there is no tool " + name
                        + ": python, browser=FOLDER, apply_patch=FOLDER; MCP servers are given by --mcp");
        };
    }

    /** @throws UsageException if python cannot run on this machine, saying what to do */
    static Sandbox sandbox() throws InterruptedException {
        try {
            return Sandboxes.choose();
        } catch (IllegalStateException e) {
            throw new UsageException(Main.message(e));
        }
    }

    private ToolSession browser(String where, PrintWriter err) throws IOException, InterruptedException {
        BrowserTool browser = BrowserTool.open(where, err);
        browsers.add(browser);
        return browser.session();
    }

    private static ToolSession applyPatch(String folder) throws IOException {
        Path path = Path.of(folder);
        if (!Files.isDirectory(path)) {
            throw new UsageException("apply_patch: " + folder + " is no folder");
        }
        return new ApplyPatchSession(new Workspace(path), false);
    }

    ToolSession[] sessions() {
        return sessions.toArray(ToolSession[]::new);
    }

    @Override
    public void close() throws IOException {
        sessions.forEach(ToolSession::close);
        servers.forEach(McpServer::close);
        for (BrowserTool browser : browsers) {
            browser.close();
        }
    }
}
