package dev.ossicle.cli;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What commands say of {@code --device cuda} where there is a GPU, played by cuda's tests, and where there is none. */
class TestCudaDevice {
    private static final String PROPERTY = "ossicle.cuda.driver";
    private static final String QUESTION = "What is 2 + 3?";
    /** As nano gives it on the processor. */
    private static final String ANSWER = "2 + 3 = 5";

    @TempDir
    static Path folder;

    private static String model = "";
    private final @Nullable String before = System.getProperty(PROPERTY);

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModel.write(folder.resolve("tiny")).toString();
    }

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(PROPERTY);
        } else {
            System.setProperty(PROPERTY, before);
        }
    }

    @Test
    void aDriverThatIsAbsentIsAMistakeOnlyIfAskedFor() {
        System.setProperty(PROPERTY, folder.resolve("absent.so").toString());
        CommandLineRun asked = CommandLineRun.of("run", model, "Hi", "--device", "cuda");
        assertThat(asked.status()).isEqualTo(2);
        assertThat(asked.err())
                .contains("device cuda cannot be used:", "absent.so is not a library that can be loaded");
        System.clearProperty(PROPERTY);
        CommandLineRun notAsked = CommandLineRun.of("run", model, "Hi", "--max-tokens", "2", "--precision", "exact");
        assertThat(notAsked.status()).as(notAsked.err()).isZero();
        assertThat(notAsked.err()).doesNotContain("cuda");
    }

    @Test
    void aGpuThatCannotRunTheModelSaysWhy() throws IOException {
        System.setProperty(PROPERTY, played());
        CommandLineRun run = CommandLineRun.of("run", model, "Hi", "--device", "cuda");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("device cuda cannot be used: the model's head dimension is", "use --device cpu");
        assertThat(CommandLineRun.of("run", model, "Hi", "--n-cpu-moe", "-1").err())
                .contains("--n-cpu-moe is -1, must not be negative");
    }

    @Test
    void aGpuWithTooLittleMemorySaysHowMuchIsMissing() throws Throwable {
        String driver = played();
        System.setProperty(PROPERTY, driver);
        String wide = WideNano.write(folder.resolve("wide-but-refused")).toString();
        played(driver, "memory", 100_000_000);
        try {
            CommandLineRun run = CommandLineRun.of("run", wide, QUESTION, "--device", "cuda");
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err())
                    .containsPattern(
                            "device cuda cannot be used: the model needs \\d\\.\\d GB of the GPU's memory"
                                    + " .*, 0\\.1 GB are free; it does not fit even with all experts in host memory; use --device cpu");
            CommandLineRun notAsked = CommandLineRun.of("run", "nano", QUESTION, "--temperature", "0");
            assertThat(notAsked.status()).as(notAsked.err()).isZero();
        } finally {
            played(driver, "reset", 0);
        }
    }

    @Test
    void aQuestionIsAnsweredOnTheGpu() throws IOException {
        System.setProperty(PROPERTY, played());
        String wide = WideNano.write(folder.resolve("wide")).toString();
        CommandLineRun run =
                CommandLineRun.of("run", wide, QUESTION, "--temperature", "0", "--device", "cuda", "--verbose");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("Played GPU, fp16");
        assertThat(run.out().strip()).isEqualTo(ANSWER);
    }

    @Test
    @Timeout(120)
    void aRequestIsAnsweredOnTheGpu() throws Exception {
        String wide = WideNano.write(folder.resolve("wide-served")).toString();
        Process serve = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-D" + PROPERTY + "=" + played(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "serve",
                        wide,
                        "--device",
                        "cuda",
                        "--port",
                        "0")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader said = serve.inputReader();
                HttpClient http = HttpClient.newHttpClient()) {
            String address = "";
            String line = "";
            while (!line.contains("ready (")) {
                Matcher listening =
                        Pattern.compile("listening on (http://\\S+);").matcher(line);
                address = listening.find() ? listening.group(1) : address;
                line = requireNonNull(said.readLine(), "it ended");
            }
            assertThat(line).contains("ready (Played GPU, ");
            HttpRequest request = HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(
                            "{\"temperature\": 0, \"reasoning_effort\": \"low\", \"messages\": [{\"role\": \"user\","
                                    + " \"content\": \"" + QUESTION + "\"}]}"))
                    .build();
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(response.body()).contains("\"" + ANSWER + "\"", "\"finish_reason\":\"stop\"");
        } finally {
            serve.destroyForcibly();
        }
    }

    /** A setting of the played driver. */
    private static void played(String driver, String name, long value) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) Linker.nativeLinker()
                    .downcallHandle(
                            SymbolLookup.libraryLookup(driver, arena).findOrThrow("played_set"),
                            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG))
                    .invokeExact(arena.allocateFrom(name), value);
        }
    }

    @Test
    void doctorDescribesTheGpu() throws IOException {
        System.setProperty(PROPERTY, played());
        CommandLineRun run = CommandLineRun.of("doctor");
        assertThat(run.out())
                .containsPattern(
                        "device cuda +yes: Played GPU, compute capability 8\\.0, .* GB free, driver for CUDA 13\\.0");
    }

    /** The library that cuda's tests have compiled. */
    private static String played() throws IOException {
        Path built = Path.of("..", "cuda", "target", "play");
        Optional<Path> newest = Optional.empty();
        if (Files.isDirectory(built)) {
            try (Stream<Path> libraries = Files.list(built)) {
                newest = libraries
                        .filter(file -> file.toString().endsWith(".so"))
                        .max(Comparator.comparingLong(file -> file.toFile().lastModified()));
            }
        }
        Assumptions.assumeTrue(newest.isPresent(), "skipped: cuda's tests have not compiled the played GPU here");
        return newest.orElseThrow().toAbsolutePath().toString();
    }
}
