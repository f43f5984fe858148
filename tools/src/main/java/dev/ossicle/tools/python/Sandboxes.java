package dev.ossicle.tools.python;

import dev.ossicle.tools.ToolOutput;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The sandbox of this machine, found by running one: that a program is installed says little about what the kernel allows. */
public final class Sandboxes {
    /** In order of preference. */
    public static final List<Sandbox> ALL = List.of(new BubblewrapSandbox(), new DockerSandbox());

    private static final PythonLimits LIMITS = PythonLimits.DEFAULT.withCallTime(Duration.ofSeconds(20));

    private static final String PROBE = """
            import os, socket
            try:
                socket.create_connection(("127.0.0.1", 22), 1)
                raise SystemError("there is a network")
            except OSError:
                pass
            print(6 * 7, len(os.listdir("/mnt/data")))""";

    private Sandboxes() {}

    /** Runs something in the sandbox; empty if all is well, else what is wrong and what to do about it. */
    public static Optional<String> problem(Sandbox sandbox) throws InterruptedException {
        try (PythonSession session = new PythonSession(sandbox, LIMITS)) {
            ToolOutput output = session.call("", PROBE);
            return output.text().strip().equals("42 0") && !output.failed()
                    ? Optional.empty()
                    : Optional.of(reason(output.text()) + ". What to do: " + sandbox.remedy());
        }
    }

    private static String reason(String text) {
        return text.strip()
                .replaceFirst("^\\[ERROR] ", "")
                .replaceFirst("; all variables and files are gone.*", "")
                .replace("\n", "; ");
    }

    /**
     * The first that works.
     *
     * @throws IllegalStateException if none does, saying why and what to do: code is never run without a sandbox
     */
    public static Sandbox choose() throws InterruptedException {
        StringBuilder problems = new StringBuilder();
        for (Sandbox sandbox : ALL) {
            Optional<String> problem = problem(sandbox);
            if (problem.isEmpty()) {
                return sandbox;
            }
            problems.append("\n  ").append(sandbox.name()).append(": ").append(problem.get());
        }
        throw new IllegalStateException("python needs a sandbox, and none works on this machine:" + problems);
    }
}
