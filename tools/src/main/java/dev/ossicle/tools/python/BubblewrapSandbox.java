package dev.ossicle.tools.python;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Linux namespaces through bubblewrap 0.8 or newer: no network, the system's /usr to read, memory-backed folders of limited
 * size to write, nothing of /etc or /home, no capabilities, no further namespaces.
 */
public final class BubblewrapSandbox implements Sandbox {
    /** A user that no account has: the kernel does not count root's processes, so root must become somebody else first. */
    private static final String NOBODY = "64999";

    /** What libraries under /usr look for elsewhere. */
    private static final List<String> READ_ONLY = List.of("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime");

    @Override
    public String name() {
        return "bubblewrap";
    }

    @Override
    public List<String> command(PythonLimits limits, String program) {
        List<String> line = new ArrayList<>();
        if (isRoot()) {
            line.addAll(List.of("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"));
        }
        line.add("bwrap");
        line.addAll(List.of("--unshare-all", "--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"));
        line.addAll(List.of("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"));
        line.addAll(List.of("--hostname", "sandbox", "--ro-bind", "/usr", "/usr"));
        for (String folder : List.of("/bin", "/lib", "/lib64")) {
            if (Files.isSymbolicLink(Path.of(folder))) {
                line.addAll(List.of("--symlink", "usr" + folder, folder));
            } else if (Files.isDirectory(Path.of(folder))) {
                line.addAll(List.of("--ro-bind", folder, folder));
            }
        }
        READ_ONLY.forEach(path -> line.addAll(List.of("--ro-bind-try", path, path)));
        line.addAll(List.of("--proc", "/proc", "--dev", "/dev"));
        tmpfs(line, limits.disk() / 4, "/dev/shm");
        tmpfs(line, limits.disk() / 4, "/tmp");
        tmpfs(line, limits.disk(), "/mnt/data");
        line.addAll(List.of("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/mnt/data"));
        Notebook.ENVIRONMENT.forEach((name, value) -> line.addAll(List.of("--setenv", name, value)));
        line.addAll(List.of("/usr/bin/python3", "-I", "-u", "-c", program));
        return line;
    }

    private static void tmpfs(List<String> line, long bytes, String folder) {
        line.addAll(List.of("--size", Long.toString(bytes), "--tmpfs", folder));
    }

    private static boolean isRoot() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid") instanceof Integer uid && uid == 0;
        } catch (java.io.IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return false; // not Linux: bubblewrap will not start, and that is said
        }
    }

    @Override
    public String remedy() {
        if (!System.getProperty("os.name").startsWith("Linux")) {
            return "bubblewrap is for Linux: use docker here";
        }
        return "install bubblewrap 0.8 or newer and python3 (Debian, Ubuntu: apt install bubblewrap python3); where user"
                + " namespaces are forbidden, allow them: on Ubuntu 24.04 sysctl kernel.apparmor_restrict_unprivileged_userns=0,"
                + " in a container run it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
                + " --security-opt systempaths=unconfined";
    }
}
