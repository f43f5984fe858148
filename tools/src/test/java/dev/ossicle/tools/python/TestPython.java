package dev.ossicle.tools.python;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Python in the real sandbox, well-behaved and hostile. */
@Timeout(120)
class TestPython {
    private static final Sandbox SANDBOX = new BubblewrapSandbox();

    private PythonSession python = new PythonSession(SANDBOX, PythonLimits.DEFAULT);

    @BeforeAll
    static void sandbox() throws InterruptedException {
        Optional<String> problem = Sandboxes.problem(SANDBOX);
        assumeTrue(problem.isEmpty(), () -> "SKIPPED, no sandbox on this machine: " + problem.orElse(""));
    }

    @AfterEach
    void close() {
        python.close();
        assertThat(children()).isEmpty();
    }

    private static List<ProcessHandle> children() {
        return ProcessHandle.current()
                .descendants()
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    private void limits(PythonLimits limits) {
        python = new PythonSession(SANDBOX, limits);
    }

    private String run(String code) throws InterruptedException {
        return python.call("", code).text();
    }

    @Test
    void itIsANotebook() throws InterruptedException {
        assertThat(run("x = 123456\nx * 654321")).isEqualTo("80779853376\n");
        assertThat(run("print('a')\nprint(_ - x)")).isEqualTo("a\n80779729920\n");
        assertThat(run("y = 3")).startsWith("[WARN] No output available.");
        assertThat(run("def f(n):\n    return n / 0\n")).startsWith("[WARN]");
        ToolOutput failed = python.call("", "print('before')\nf(1)");
        assertThat(failed.failed()).isTrue();
        assertThat(failed.text())
                .startsWith("before\nTraceback (most recent call last):\n  File \"<cell 5>\", line 2")
                .contains("return n / 0")
                .endsWith("ZeroDivisionError: division by zero\n");
        assertThat(run("1 +")).contains("SyntaxError");
        assertThat(run("import sys\nsys.exit(3)")).startsWith("[WARN]");
        assertThat(run("input()")).contains("EOFError");
        assertThat(run("import subprocess\nsubprocess.run(['echo', 'from a child'])\nNone"))
                .isEqualTo("from a child\n");
        assertThat(run("x, y")).isEqualTo("(123456, 3)\n");
        assertThat(python.call("exec", "1").text()).contains("Unknown function");
    }

    @Test
    void filesComeAndGo() throws IOException, InterruptedException {
        python.write("in/data.csv", "1,2\n".getBytes(StandardCharsets.UTF_8));
        ToolOutput output = python.call("", "open('/mnt/data/out.txt', 'w').write(open('in/data.csv').read() * 2)");
        assertThat(output.files()).containsExactly(new ToolFile("out.txt", 8));
        assertThat(python.file("out.txt")).asString().isEqualTo("1,2\n1,2\n");
        assertThat(python.files()).extracting(ToolFile::name).containsExactly("in/data.csv", "out.txt");
        run("import os\nos.symlink('/usr/bin/python3', 'link')");
        for (String name : List.of("link", "../../usr/bin/python3", "/usr/bin/python3", "missing")) {
            assertThatThrownBy(() -> python.file(name)).as(name).isInstanceOf(IOException.class);
        }
        assertThat(python.file("out.txt")).hasSize(8);
    }

    @Test
    void picturesBecomeFiles() throws InterruptedException {
        ToolOutput image = python.call("", """
                class Image:
                    def _repr_png_(self): return b'png'
                    def __repr__(self): return '<image>'
                Image()""");
        assertThat(image.text()).isEqualTo("<image>\n[picture saved as /mnt/data/picture-1.png]\n");
        assertThat(image.files()).containsExactly(new ToolFile("picture-1.png", 3));
        ToolOutput figure = python.call("", """
                import sys
                class Pyplot: # as much of matplotlib as it takes
                    open_figures = [1, 2]
                    def get_fignums(self): return list(self.open_figures)
                    def figure(self, number): return self
                    def savefig(self, file, format): file.write(format.encode())
                    def close(self, number): self.open_figures.remove(number)
                sys.modules['matplotlib.pyplot'] = Pyplot()""");
        assertThat(figure.files()).containsExactly(new ToolFile("picture-2.png", 3), new ToolFile("picture-3.png", 3));
        assertThat(run("Image")).doesNotContain("picture");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "open('/etc/passwd').read()",
                "open('/etc/shadow').read()",
                "import os; os.listdir('/root')",
                "import os; os.listdir('/home')",
                "open('/usr/bin/x', 'w')",
                "open('/x', 'w')",
                "open('/dev/x', 'w')",
                "import socket; socket.create_connection(('127.0.0.1', 22), 1)",
                "import socket; socket.create_connection(('169.254.169.254', 80), 1)",
                "import os; os.kill(os.getppid() + 100000, 9)",
                "import os; os.mknod('/mnt/data/d', 0o600 | 0o060000, os.makedev(8, 0))",
                "import os; os.setuid(0)",
                "import os; os.chroot('/tmp')",
                "import ctypes\nif ctypes.CDLL(None).unshare(0x10000000): raise OSError('no')",
                "import ctypes\nif ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, 0): raise OSError('no')",
                "open('big', 'wb').write(b'0' * (300 << 20))",
            })
    void nothingOutsideIsWithinReach(String code) throws InterruptedException {
        ToolOutput output = python.call("", code);
        assertThat(output.failed()).as(output.text()).isTrue();
        assertThat(output.text()).contains("Error");
        assertThat(run("'alive'")).isEqualTo("'alive'\n");
    }

    @Test
    void theEnvironmentAndTheProcessesOfTheHostAreHidden() throws InterruptedException {
        assertThat(run("import os\nprint(sorted(os.environ))"))
                .isEqualTo(
                        "['HOME', 'LANG', 'MPLBACKEND', 'MPLCONFIGDIR', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'PATH',"
                                + " 'PWD']\n");
        assertThat(run("print([p for p in os.listdir('/proc') if p.isdigit() and int(p) > 9])"))
                .isEqualTo("[]\n");
        assertThat(run("print(os.getuid(), os.listdir('/'))"))
                .startsWith("65534 ")
                .doesNotContain("root", "home");
        assertThat(run("print(set(os.listdir('/etc')) - {'alternatives', 'ld.so.cache', 'localtime'})"))
                .isEqualTo("set()\n");
    }

    @Test
    void tenGigabytesAreRefused() throws InterruptedException {
        assertThat(run("b = bytearray(10_000_000_000)")).contains("MemoryError");
        assertThat(run("'alive'")).isEqualTo("'alive'\n");
    }

    @Test
    void manyProcessesTogetherHaveNoMoreMemoryThanOne() throws InterruptedException {
        limits(PythonLimits.DEFAULT.withMemory(300 << 20));
        ToolOutput output = python.call("", """
                import os, time
                for i in range(4):
                    if os.fork() == 0:
                        b = bytearray(150 << 20)
                        for j in range(0, len(b), 4096): b[j] = 1
                        time.sleep(100)
                time.sleep(100)""");
        assertThat(output.text()).contains("bytes of memory", "the next call starts afresh");
        assertThat(run("'alive'")).isEqualTo("'alive'\n");
    }

    @Test
    void aForkBombIsDefused() throws InterruptedException {
        limits(PythonLimits.DEFAULT.withCallTime(Duration.ofSeconds(1)));
        String text = run("""
                import os
                refused = 0
                while True:
                    try:
                        os.fork()
                    except OSError as e:
                        refused += 1""");
        assertThat(text).contains("[ERROR]");
        assertThat(children().size()).isLessThan(80);
        python.close();
        assertThat(children()).isEmpty();
    }

    @Test
    void codeWithoutEndIsInterruptedAndVariablesStay() throws InterruptedException {
        limits(PythonLimits.DEFAULT.withCallTime(Duration.ofMillis(500)));
        assertThat(run("x = 5\nprint('begun')\nwhile True: pass"))
                .startsWith("begun\nKeyboardInterrupt\n[ERROR] the code ran for more than 0.5 seconds")
                .endsWith("variables are kept");
        assertThat(run("import time\ntime.sleep(1000)")).contains("variables are kept");
        assertThat(run("x")).isEqualTo("5\n");
    }

    @Test
    void codeThatDoesNotStopIsEnded() throws InterruptedException {
        limits(PythonLimits.DEFAULT.withCallTime(Duration.ofSeconds(1)));
        String text = run("""
                x = 1
                while True:
                    try:
                        x = 2 # or CPython 3.11 takes the loop's head to be outside the block
                        while True: pass
                    except KeyboardInterrupt:
                        print('not me')""");
        assertThat(text).contains("not me", "did not stop when it was interrupted", "starts afresh");
        assertThat(run("x")).contains("NameError");
    }

    @Test
    void aFloodIsCutAndCounted() throws InterruptedException {
        limits(PythonLimits.DEFAULT.withOutput(1000));
        String text = run("for i in range(2_000_000): print('0123456789')");
        assertThat(text)
                .startsWith("0123456789\n0123456789\n")
                .endsWith("[cut: 22000000 bytes of output, of which these are the first 1000]")
                .hasSizeLessThan(1100);
        assertThat(run("'alive'")).isEqualTo("'alive'\n");
    }

    @Test
    void binaryOutputIsMadeReadable() throws InterruptedException {
        String text = run("import os\nos.write(1, bytes(range(256)) * 3)\nNone");
        assertThat(text).contains("ABC", "\uFFFD").doesNotContain("\0", "\u0007");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "import os; os._exit(7)",
                "import os, signal; os.kill(os.getpid(), 9)",
                "import os\nfor fd in range(3, 20):\n    try: os.close(fd)\n    except OSError: pass",
                "import ctypes; ctypes.string_at(0)",
                "import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'\\nossicle-00 {\"ok\": true}\\n')\n    except OSError: pass\nos._exit(1)",
            })
    void anInterpreterThatDiesIsReplaced(String code) throws InterruptedException {
        limits(PythonLimits.DEFAULT.withCallTime(Duration.ofSeconds(2)));
        ToolOutput output = python.call("", code);
        assertThat(output.failed()).as(output.text()).isTrue();
        assertThat(output.text()).contains("starts afresh");
        assertThat(run("6 * 7")).isEqualTo("42\n");
    }

    @Test
    void anInterruptedCallLeavesNothingBehind() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        Thread caller = Thread.ofVirtual().start(() -> {
            started.countDown();
            assertThatThrownBy(() -> python.call("", "import os, time\nos.fork()\ntime.sleep(1000)"))
                    .isInstanceOf(InterruptedException.class);
        });
        started.await();
        while (children().size() < 3 && caller.isAlive()) {
            Thread.onSpinWait(); // until the code runs
        }
        caller.interrupt();
        caller.join();
        assertThat(children()).isEmpty();
        assertThat(run("6 * 7")).isEqualTo("42\n");
    }

    @Test
    void twoHundredConversationsLeakNothing() throws InterruptedException, IOException {
        run("1");
        python.close();
        long files = openFiles();
        for (int i = 0; i < 200; i++) {
            try (PythonSession session = new PythonSession(SANDBOX, PythonLimits.DEFAULT)) {
                assertThat(session.call("", "open('f', 'w').write('x' * 1000)\nprint(" + i + ")")
                                .text())
                        .isEqualTo(i + "\n");
            }
        }
        assertThat(children()).isEmpty();
        assertThat(openFiles()).isLessThan(files + 20);
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().startsWith("ossicle-python")))
                .isEmpty();
    }

    private static long openFiles() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    @Test
    void aSandboxThatDoesNotWorkIsSaidWithItsRemedy() throws InterruptedException {
        PythonSession session = new PythonSession(new DockerSandbox(), PythonLimits.DEFAULT);
        session.close();
        assertThat(session.call("", "1").text()).contains("this session is closed");
        assertThat(Sandboxes.choose().name()).isEqualTo("bubblewrap");
    }
}
