package dev.ossicle.tools.python;

import java.util.ArrayList;
import java.util.List;

/** A container without network or privileges, through the docker command. Untested: no engine where this is developed. */
public final class DockerSandbox implements Sandbox {
    private static final String IMAGE = "python:3.11-slim";

    @Override
    public String name() {
        return "docker";
    }

    @Override
    public List<String> command(PythonLimits limits, String program) {
        List<String> line =
                new ArrayList<>(List.of("docker", "run", "--rm", "--interactive", "--init", "--pull", "never"));
        line.addAll(List.of("--network", "none", "--read-only", "--cap-drop", "ALL"));
        line.addAll(List.of("--security-opt", "no-new-privileges", "--user", "65534:65534", "--hostname", "sandbox"));
        line.addAll(
                List.of("--memory", Long.toString(limits.memory()), "--memory-swap", Long.toString(limits.memory())));
        line.addAll(List.of("--pids-limit", Integer.toString(limits.processes()), "--cpus", "2"));
        line.addAll(List.of("--tmpfs", "/mnt/data:mode=1777,size=" + limits.disk()));
        line.addAll(List.of("--tmpfs", "/tmp:mode=1777,size=" + limits.disk() / 4, "--workdir", "/mnt/data"));
        Notebook.ENVIRONMENT.forEach((name, value) -> line.addAll(List.of("--env", name + "=" + value)));
        line.addAll(List.of(IMAGE, "python3", "-I", "-u", "-c", program));
        return line;
    }

    @Override
    public String remedy() {
        return "start the docker engine and fetch the image once: docker pull " + IMAGE;
    }
}
