package dev.ossicle.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestCommands {
    @TempDir
    static Path folder;

    private static String model = "";

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModel.write(folder.resolve("tiny")).toString();
    }

    @Test
    void runStreamsEventsAsJsonLines() {
        CommandLineRun run = CommandLineRun.of("run", model, "Hi", "--json", "--seed", "5", "--max-tokens", "60");
        assertThat(run.status()).as(run.err()).isZero();
        List<JsonObject> events =
                run.out().lines().map(line -> (JsonObject) Json.parse(line)).toList();
        JsonObject done = events.getLast();
        assertThat(done.get("type")).isEqualTo(Json.of("done"));
        assertThat(done.get("finish")).isIn(Json.of("length"), Json.of("stop"));
        assertThat(done.get("prompt_tokens")).isNotNull();
        assertThat(events.subList(0, events.size() - 1)).allMatch(e -> e.get("type") instanceof JsonString);
    }

    @Test
    void sameSeedSameTextAtAnyNumberOfThreads() {
        String[] line = {
            "run",
            model,
            "Hi",
            "--json",
            "--seed",
            "11",
            "--max-tokens",
            "80",
            "--date",
            "2026-01-02",
            "--device",
            "cpu"
        };
        String one =
                withoutTimings(CommandLineRun.of(with(line, "--threads", "1")).out());
        assertThat(withoutTimings(
                        CommandLineRun.of(with(line, "--threads", "3")).out()))
                .isEqualTo(one);
        line[5] = "12";
        assertThat(withoutTimings(CommandLineRun.of(line).out())).isNotEqualTo(one);
    }

    @Test
    void theVerboseLineReproducesTheRun() {
        CommandLineRun first =
                CommandLineRun.of("run", model, "What's up?", "--verbose", "--max-tokens", "40", "--precision", "fast");
        assertThat(first.err()).contains("prompt eval rate:", "eval count:", "load duration:");
        String line = first.err()
                .lines()
                .filter(l -> l.startsWith("reproduce:"))
                .findFirst()
                .orElseThrow()
                .replaceFirst("reproduce: *ossicle ", "");
        assertThat(line).contains("--precision fast").endsWith("-- 'What'\\''s up?'");
        String[] words = line.substring(0, line.indexOf(" -- ")).split(" ");
        CommandLineRun again = CommandLineRun.of(with(words, "--", "What's up?"));
        assertThat(again.out()).isEqualTo(first.out());
    }

    @Test
    void keysAndValuesHave32Or16Or8Bits() {
        for (String bits : List.of("32", "16", "8")) {
            CommandLineRun run = CommandLineRun.of("run", model, "Hi", "--max-tokens", "2", "--cache-bits", bits);
            assertThat(run.status()).as(run.err()).isZero();
        }
        CommandLineRun refused = CommandLineRun.of("run", model, "Hi", "--max-tokens", "2", "--cache-bits", "12");
        assertThat(refused.status()).isEqualTo(2);
        assertThat(refused.err()).contains("--cache-bits is 12, must be 32, 16 or 8");
    }

    @Test
    void whoeverOpensAModelHearsHowFarItHasCome() {
        Tokenizer tokenizer = TinyModel.tokenizer();
        int[] answer = tokenizer.encode("<|channel|>final<|message|>Yes<|return|>", tokenizer.specialNames());
        String logits = folder.resolve("script.f32").toString();
        String[][] lines = {
            {"run", model, "Hi", "--device", "script"},
            {"logits", "--model", model, "--tokens", "1", "--device", "script", "--out", logits},
        };
        for (String[] line : lines) {
            ScriptedProvider.HEARS.set(LoadProgress.NONE);
            ScriptedProvider.NEXT.set(new ScriptedModelRunner(TinyModel.CONFIG.vocabulary(), 4096).answer(answer));
            CommandLineRun run = CommandLineRun.of(line);
            assertThat(run.status()).as(run.err()).isZero();
            assertThat(ScriptedProvider.HEARS.get()).as(line[0]).isNotEqualTo(LoadProgress.NONE);
        }
    }

    @Test
    void benchMeasuresWhatItIsAskedTo() {
        CommandLineRun run = CommandLineRun.of(
                "bench", model, "--threads", "2", "--prefill", "8,600", "--decode", "3", "--depth", "0,300", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        JsonObject result = (JsonObject) Json.parse(run.out());
        assertThat(result.members().keySet())
                .containsExactly("model", "threads", "load_seconds", "resident_bytes", "prefill", "decode");
        assertThat(result.get("model")).isEqualTo(Json.of(model));
        assertThat(result.get("threads")).isEqualTo(Json.of(2));
        List<Json> prefill = ((JsonArray) requireNonNull(result.get("prefill"))).elements();
        assertThat(prefill)
                .extracting(each -> ((JsonObject) each).get("tokens"))
                .containsExactly(Json.of(8), Json.of(600));
        List<Json> decode = ((JsonArray) requireNonNull(result.get("decode"))).elements();
        assertThat(decode)
                .extracting(each -> ((JsonObject) each).get("depth"))
                .containsExactly(Json.of(0), Json.of(300));
        assertThat(decode).extracting(each -> ((JsonObject) each).get("tokens")).containsOnly(Json.of(3));
        for (Json each : decode) {
            assertThat(((JsonNumber) requireNonNull(((JsonObject) each).get("tokens_per_second"))).doubleValue())
                    .isPositive();
        }
        assertThat(CommandLineRun.of("bench", model, "--prefill", "0", "--decode", "2")
                        .out())
                .contains("decode at 0", "% of reading", "/s with 1 thread")
                .doesNotContain("prefill");
        assertThat(CommandLineRun.of("bench", model, "--decode", "-1").status()).isEqualTo(2);
    }

    @Test
    void benchAddsWhatItIsAskedFor() {
        CommandLineRun run = CommandLineRun.of(
                "bench",
                model,
                "--threads",
                "1",
                "--prefill",
                "4",
                "--decode",
                "0",
                "--json",
                "--bandwidth",
                "--kernels");
        assertThat(run.status()).as(run.err()).isZero();
        JsonObject result = (JsonObject) Json.parse(run.out());
        assertThat(result.members().keySet())
                .contains("anonymous_bytes", "bytes_per_token", "read_bytes_per_second", "reading", "kernels");
        assertThat(((JsonArray) requireNonNull(result.get("reading"))).elements())
                .hasSize(1);
        assertThat(((JsonArray) requireNonNull(result.get("kernels"))).elements())
                .hasSize(6) // three formats, with one vector and with 64
                .allSatisfy(each -> assertThat(((JsonObject) each).members().keySet())
                        .containsExactly(
                                "kernel", "vectors", "threads", "bytes_per_second", "multiplications_per_second"));
    }

    @Test
    void thePromptComesFromStandardInputAndFiles() throws IOException {
        Path file = Files.writeString(folder.resolve("notes.txt"), "some notes");
        String given = withoutTimings(CommandLineRun.of(
                        "run", model, "some notes\n\nSummarise.", "--json", "--seed", "1", "--max-tokens", "30")
                .out());
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream("Summarise.\n".getBytes(StandardCharsets.UTF_8)));
        try {
            assertThat(withoutTimings(CommandLineRun.of(
                                    "run",
                                    model,
                                    "--file",
                                    file.toString(),
                                    "--json",
                                    "--seed",
                                    "1",
                                    "--max-tokens",
                                    "30")
                            .out()))
                    .isEqualTo(given);
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void hiddenReasoningAndPlainTextGoToTheirStreams() {
        CommandLineRun run =
                CommandLineRun.of("run", model, "Hi", "--hide-reasoning", "--seed", "5", "--max-tokens", "60");
        assertThat(run.status()).isZero();
        assertThat(run.err()).doesNotContain("reasoning:");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    run MODEL Hi --temperature -1     | 2 | temperature is -1.0
                    run MODEL Hi --top-p 0            | 2 | top-p is 0.0
                    run MODEL Hi --reasoning much     | 2 | reasoning
                    run MODEL Hi --max-tokens 0       | 2 | --max-tokens is 0
                    run MODEL Hi --date tomorrow      | 2 | --date is "tomorrow"
                    run MODEL Hi --device toaster     | 2 | there is no device toaster
                    run MODEL Hi --threads 0          | 2 | --threads is 0
                    run MODEL Hi --file nowhere.txt   | 1 | nowhere.txt: no such file
                    run MODEL What is this            | 2 | put the prompt in quotes
                    run ./missing.gguf Hi             | 2 | there is no model ./missing.gguf
                    run gpt-oss-20b Hi                | 2 | `ossicle pull gpt-oss-20b` downloads it, 13.8 GB
                    pull gpt-5                        | 1 | names no model
                    pull gpt-oss-20b --offline        | 1 | --offline forbids
                    rm gpt-oss-20b                    | 1 | there is no model gpt-oss-20b
                    run --frobnicate                  | 2 | frobnicate
                    frobnicate                        | 2 | frobnicate
                    run MODEL Hi --lora EMPTY         | 1 | adapter_config.json: does not exist
                    logits --model MODEL --tokens 1,x --out OUT             | 2 | number 2 is "x"
                    logits --model MODEL --tokens 1,999 --out OUT           | 1 | 999
                    logits --model MODEL --tokens 1,-1 --out OUT            | 1 | -1
                    logits --model MODEL --tokens 1,2 --last 3 --out OUT    | 2 | --last is 3
                    logits --model MODEL --tokens @nowhere --out OUT        | 1 | nowhere: no such file
                    logits --model MODEL --out OUT                          | 2 | --tokens
                    logits --model MODEL --tokens 1 --out FOLDER/no/such/f  | 1 | no/such
                    show EMPTY                        | 1 | holds no checkpoint
                    show FOLDER/tiny/config.json      | 1 | config.json
                    synth --like gpt-2 --out OUT      | 2 | gpt-2
                    synth --like gpt-oss-20b --layers 0 --out OUT           | 2 | layers is 0
                    tokenize --model MODEL --decode 9999                    | 1 | 9999
                    """)
    void whatCannotWorkIsSaidInOneLine(String line, int status, String message) throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Path out = folder.resolve("out.f32");
        CommandLineRun run = CommandLineRun.of(line.replace("MODEL", model)
                .replace("OUT", out.toString())
                .replace("EMPTY", empty.toString())
                .replace("FOLDER", folder.toString())
                .split(" "));
        assertThat(run.status()).as(run.err()).isEqualTo(status);
        assertThat(run.err()).contains(message).doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
        assertThat(out).doesNotExist();
    }

    @Test
    void runAsksAHost() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            JsonObject request = (JsonObject)
                    Json.parse(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, 0);
            String answer = "data: {\"choices\":[{\"delta\":{\"reasoning\":\"Hm.\",\"content\":\"I am "
                    + (request.get("model") instanceof JsonString name ? name.value() : "?")
                    + "\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            exchange.getResponseBody().write(answer.getBytes(StandardCharsets.UTF_8));
            exchange.close();
        });
        server.start();
        try {
            String host = "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
            CommandLineRun run = CommandLineRun.of("run", host + "#some-model", "Who are you?", "--verbose");
            assertThat(run.status()).as(run.err()).isZero();
            assertThat(run.out()).isEqualTo("I am some-model\n");
            assertThat(run.err()).contains("reasoning: Hm.", "some-model at 127.0.0.1");
            assertThat(CommandLineRun.of("run", host, "Who are you?").err()).contains("names no model");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void debugAddsTheStackTrace() {
        assertThat(CommandLineRun.of("--debug", "show", folder.toString()).err())
                .contains("\tat ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "run", "show", "doctor", "logits", "tokenize", "harmony", "synth", "pull", "list", "rm"})
    void helpIsThereForEveryCommand(String command) {
        CommandLineRun run = command.isEmpty() ? CommandLineRun.of("--help") : CommandLineRun.of(command, "--help");
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("Usage: ossicle");
    }

    @Test
    void noCommandIsAMistake() {
        CommandLineRun run = CommandLineRun.of();
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("Missing command", "Usage: ossicle");
    }

    @Test
    void logitsAreWrittenForTheLastPositions() throws IOException {
        Path all = folder.resolve("all.f32");
        Path last = folder.resolve("last.f32");
        Path ids = Files.writeString(folder.resolve("ids.txt"), "1, 2\n3 4,5\n");
        assertThat(CommandLineRun.of("logits", "--model", model, "--tokens", "@" + ids, "--out", all.toString())
                        .status())
                .isZero();
        assertThat(CommandLineRun.of(
                                "logits",
                                "--model",
                                model,
                                "--tokens",
                                "1,2,3,4,5",
                                "--last",
                                "2",
                                "--device",
                                "reference",
                                "--out",
                                last.toString())
                        .status())
                .isZero();
        int rowBytes = 4 * TinyModel.CONFIG.vocabulary();
        byte[] allBytes = Files.readAllBytes(all);
        byte[] lastBytes = Files.readAllBytes(last);
        assertThat(allBytes).hasSize(5 * rowBytes);
        assertThat(lastBytes).hasSize(2 * rowBytes);
        var a = ByteBuffer.wrap(allBytes, 3 * rowBytes, 2 * rowBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        var b = ByteBuffer.wrap(lastBytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        double difference = 0;
        double size = 0;
        while (b.hasRemaining()) {
            double expected = b.get();
            difference += Math.pow(a.get() - expected, 2);
            size += expected * expected;
        }
        assertThat(Math.sqrt(difference / size)).isLessThan(1e-5);
    }

    @Test
    void packWritesAFileThatIsUsedThen(@TempDir Path own) throws IOException {
        String packed = TinyModel.write(own.resolve("tiny")).toString();
        CommandLineRun run = CommandLineRun.of("pack", packed);
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("wrote " + Path.of(packed, "ossicle.pack"));
        CommandLineRun bench = CommandLineRun.of(
                "bench", packed, "--device", "cpu", "--threads", "1", "--prefill", "4", "--decode", "1");
        assertThat(bench.out()).contains("weights packed");
        Files.write(Path.of(packed, "ossicle.pack"), new byte[9]);
        CommandLineRun damaged = CommandLineRun.of("bench", packed, "--device", "cpu");
        assertThat(damaged.status()).isEqualTo(1);
        assertThat(damaged.err()).contains("ossicle.pack: it is not a pack", "ossicle pack");
    }

    @Test
    void showSaysWhatACheckpointIs() {
        CommandLineRun run = CommandLineRun.of("show", model, "--tensors");
        assertThat(run.status()).isZero();
        assertThat(run.out())
                .contains("Hugging Face", "2 of 4 in each layer", "2048 tokens", "tokenizer.json", "MXFP4")
                .contains("model.layers.1.mlp.experts.down_proj_blocks")
                .contains("tokens/s");
    }

    @Test
    void tokenizeGoesBothWays() {
        assertThat(CommandLineRun.of("tokenize", "Hello, world").out().strip()).isEqualTo("13225 11 2375");
        assertThat(CommandLineRun.of("tokenize", "--decode", "13225, 11 2375")
                        .out()
                        .strip())
                .isEqualTo("Hello, world");
        assertThat(CommandLineRun.of("tokenize", "--model", model, "AB").out().strip())
                .isEqualTo("65 66");
    }

    private static String[] with(String[] line, String... more) {
        String[] all = Arrays.copyOf(line, line.length + more.length);
        System.arraycopy(more, 0, all, line.length, more.length);
        return all;
    }

    private static String withoutTimings(String jsonLines) {
        assertThat(jsonLines).isNotEmpty();
        return jsonLines.replaceAll("\"(prompt|completion)_seconds\":[^,}]*", "");
    }
}
