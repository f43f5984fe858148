package dev.ossicle.evals;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;

/** A python tool that runs nothing: whatever the code, it prints what it was set to. */
final class CannedPython implements ToolSession {
    /** Calls come from another thread. */
    volatile String result = "";

    @Override
    public ToolNamespace namespace() {
        return ToolNamespace.python();
    }

    @Override
    public ToolOutput call(String function, String body) {
        return ToolOutput.of(result);
    }

    @Override
    public void close() {}
}
