package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.server.OssicleServer;
import dev.ossicle.server.ServerOptions;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.answer.McpServers;
import dev.ossicle.server.http.RequestLog;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.mcp.McpException;
import dev.ossicle.tools.mcp.McpServer;
import dev.ossicle.tools.python.PythonLimits;
import dev.ossicle.tools.python.PythonSession;
import dev.ossicle.tools.python.Sandbox;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Serves models over HTTP, in OpenAI's, Anthropic's and Ollama's dialects. */
@Command(
        name = "serve",
        aliases = "start",
        description = "Serves models over HTTP, to the clients of OpenAI, Anthropic and Ollama.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The first model is loaded at once and used where a request names none; another one of those given is loaded when a",
            "request names it. docs/api.md says what is answered.",
            "In a browser its address is a page to ask the model on.",
            "",
            "Examples:",
            "  ossicle serve                                       what is on this machine, on port 11434",
            "  ossicle serve gpt-oss-20b --port 8080",
            "  ossicle serve gpt-oss-20b.gguf --host 0.0.0.0 --api-key @keys.txt --store responses.db",
            "  ossicle serve gpt-oss-20b.gguf --mcp files=\"npx -y @modelcontextprotocol/server-filesystem /srv/docs\"",
            "  curl http://127.0.0.1:11434/v1/chat/completions -H 'Content-Type: application/json' \\",
            "      -d '{\"messages\": [{\"role\": \"user\", \"content\": \"What is 2 + 3?\"}]}'",
            "  codex exec --oss \"Explain this repository.\"",
        })
final class ServeCommand implements Callable<Integer> {
    private static final Pattern DURATION = Pattern.compile("(\\d+)(ms|s|m|h)?");
    private static final int MEMORY_SHARE = 4;

    @Parameters(
            arity = "0..*",
            paramLabel = "MODEL",
            description =
                    "Names, folders or .gguf files; by default a gpt-oss that is on this machine, else the embedded model.")
    private List<String> models = List.of();

    @Mixin
    private RunnerOptions runnerOptions;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            description = "Where to listen. Default: 127.0.0.1, this machine only.")
    private String host = ServerOptions.DEFAULT.host();

    @Option(
            names = "--port",
            paramLabel = "N",
            description = "0 for any. Default: 11434, which Ollama's clients expect.")
    private int port = ServerOptions.DEFAULT_PORT;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "A key that clients must send; several are possible, @FILE has one on each line. Default: "
                    + "OSSICLE_API_KEY, else none.")
    private List<String> keys = List.of();

    @Option(names = "--insecure", description = "Let other machines in without a key.")
    private boolean insecure;

    @Option(
            names = "--allow-host",
            paramLabel = "NAME",
            description = "A name that this server is reached by, such as one of a reverse proxy; * for any.")
    private List<String> allowedHosts = List.of();

    @Option(
            names = "--cors",
            paramLabel = "ORIGIN",
            description = "Web pages that may use it: https://chat.example.org, or * for all. Default: none.")
    private List<String> origins = List.of();

    @Option(names = "--tls-cert", paramLabel = "FILE", description = "Serve HTTPS with this certificate (PEM).")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "Its key (PEM, PKCS#8).")
    private @Nullable Path certificateKey;

    @Option(
            names = "--store",
            paramLabel = "FILE",
            description = "Keep the responses of the Responses API in this file. Default: in memory.")
    private @Nullable Path store;

    @Option(
            names = "--keep-alive",
            paramLabel = "TIME",
            description = "Free the model when nobody has used it for so long: 5m, 30s, 1h. Default: never.")
    private @Nullable String keepAlive;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Answers that are computed side by side; more wait. Default: 64.")
    private int parallel = EngineOptions.DEFAULT.maxRunning();

    @Option(
            names = "--max-queue",
            paramLabel = "N",
            description = "Answers that wait or are computed; more get status 429. Default: 256.")
    private int maxQueue = EngineOptions.DEFAULT.maxGenerations();

    @Option(
            names = "--kv-memory",
            paramLabel = "BYTES",
            description = "For keys and values: 4G, 500M. Default: a quarter of the machine's memory.")
    private @Nullable String kvMemory;

    @Option(
            names = "--prompt-cache",
            paramLabel = "FILE",
            description = "Keep what the first model computed of prompts in this file, from one start to the next.")
    private @Nullable Path promptCache;

    @Option(names = "--timeout", paramLabel = "TIME", description = "For one answer, waiting included. Default: 1h.")
    private String timeout = "1h";

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            description = "How long answers may go on when the server is asked to end. Default: 30s.")
    private String grace = "30s";

    @Option(names = "--max-body", paramLabel = "BYTES", description = "Of a request. Default: 32M.")
    private String maxBody = "32M";

    @Option(
            names = "--tools",
            paramLabel = "NAME",
            split = ",",
            description =
                    "What the server runs itself where a request asks for it: python, in a sandbox without network"
                            + " (OpenAI's code_interpreter); browser=FOLDER, which searches and reads the documents in it"
                            + " (web_search). Default: nothing.")
    private List<String> tools = List.of();

    @Mixin
    private McpOptions mcp;

    @Option(
            names = "--allow-mcp-urls",
            description = "Let requests name MCP servers of their own (server_url), on the public network.")
    private boolean mcpUrls;

    @Option(names = "--log", paramLabel = "FORM", description = "A line a request: text, json or off. Default: text.")
    private LogForm log = LogForm.TEXT;

    @Option(names = "--log-prompts", description = "Log what was asked too, which may be private.")
    private boolean logPrompts;

    private enum LogForm {
        TEXT,
        JSON,
        OFF
    }

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets them before it runs
    ServeCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        ServerOptions options = options(err);
        EngineOptions limits = limits();
        List<InstalledModel> installed = new ArrayList<>();
        List<ModelLocation.Local> locations = models.isEmpty()
                ? List.of(ModelLocation.byDefault(err))
                : models.stream().map(ModelLocation::local).toList();
        for (ModelLocation.Local location : locations) {
            installed.add(installed(location, limits, installed.isEmpty() ? promptCache : null, err));
        }
        if (runnerOptions.adapter() != null) {
            if (installed.size() != 1) {
                throw new UsageException("--lora belongs to one model, there are " + installed.size());
            }
        } else if (installed.stream().noneMatch(model -> model.name().equals(ModelLocation.NANO))) {
            installed.add(installed(ModelLocation.local(null), limits, null, err));
        }
        ModelHost host = new ModelHost(installed, keepAlive == null ? null : duration("--keep-alive", keepAlive));
        BuiltIns builtIns = builtIns(err);
        OssicleServer server = OssicleServer.start(options, host, builtIns);
        builtIns.mcp().byLabel().values().forEach(each -> Thread.ofVirtual().start(() -> tryOut(each, err)));
        CountDownLatch ended = new CountDownLatch(1);
        Thread atEnd = new Thread(() -> {
            err.println("ossicle: ending; open answers have " + grace + " to end");
            server.close();
            ended.countDown();
        });
        Runtime.getRuntime().addShutdownHook(atEnd);
        err.println("ossicle: listening on " + server.address() + "; loading "
                + installed.getFirst().name());
        try (ModelHost.Lease lease = host.use(null)) {
            err.println("ossicle: ready (" + lease.model().device() + ")");
        } catch (RuntimeException e) {
            Runtime.getRuntime().removeShutdownHook(atEnd);
            server.close();
            throw e;
        }
        ended.await(); // until a signal
        return 0;
    }

    private ServerOptions options(PrintWriter err) throws IOException {
        if ((certificate == null) != (certificateKey == null)) {
            throw new UsageException("--tls-cert and --tls-key belong together");
        }
        if (port < 0 || port > 65_535) {
            throw new UsageException("--port is " + port + ", must be between 0 and 65535");
        }
        RequestLog requests = switch (log) {
            case OFF -> RequestLog.NONE;
            case TEXT -> new RequestLog(err::println, false, logPrompts);
            case JSON -> new RequestLog(err::println, true, logPrompts);
        };
        return new ServerOptions(
                host,
                port,
                new ServerOptions.Access(keys(), insecure, allowedHosts, origins),
                certificate == null || certificateKey == null
                        ? null
                        : new ServerOptions.Certificate(certificate, certificateKey),
                new ServerOptions.Limits(
                        bytes("--max-body", maxBody),
                        ServerOptions.Limits.DEFAULT.idle(),
                        duration("--timeout", timeout),
                        duration("--grace", grace),
                        ServerOptions.Limits.DEFAULT.ping()),
                store,
                requests);
    }

    /** A server that cannot be had is better known now; it is tried again when a request needs it. */
    private static void tryOut(McpServer server, PrintWriter err) {
        try {
            err.println("ossicle: MCP server " + server.label() + " offers "
                    + server.tools().size() + " tools");
        } catch (McpException e) {
            err.println("ossicle: " + Main.message(e));
        } catch (InterruptedException e) {
            // nobody interrupts it
        }
    }

    /** Found out now: that there is no sandbox is better known before a model has written code. */
    private BuiltIns builtIns(PrintWriter err) throws IOException, InterruptedException {
        Map<String, Supplier<ToolSession>> byType = new HashMap<>();
        for (String tool : tools) {
            if (tool.equals("python")) {
                Sandbox sandbox = RunTools.sandbox();
                byType.put(BuiltIns.CODE_INTERPRETER, () -> new PythonSession(sandbox, PythonLimits.DEFAULT));
            } else if (tool.equals("browser") || tool.startsWith("browser=")) {
                BrowserTool browser = BrowserTool.open(tool.substring(Math.min(tool.length(), 8)), err);
                byType.put(BuiltIns.WEB_SEARCH, browser::session); // open until the process ends
            } else {
                throw new UsageException("there is no tool " + tool + " to serve: python, browser=FOLDER");
            }
        }
        return new BuiltIns(byType, McpServers.of(mcp.servers(), mcpUrls));
    }

    private List<String> keys() throws IOException {
        List<String> all = new ArrayList<>();
        for (String key : keys) {
            if (key.startsWith("@")) {
                Files.readAllLines(Path.of(key.substring(1))).stream()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                        .forEach(all::add);
            } else {
                all.add(key);
            }
        }
        String fromEnvironment = System.getenv("OSSICLE_API_KEY");
        if (all.isEmpty() && fromEnvironment != null && !fromEnvironment.isEmpty()) {
            all.add(fromEnvironment);
        }
        if (all.stream().anyMatch(String::isBlank) || (!keys.isEmpty() && all.isEmpty())) {
            throw new UsageException("--api-key is empty");
        }
        return all;
    }

    private EngineOptions limits() {
        if (parallel < 1 || maxQueue < 1) {
            throw new UsageException("--parallel and --max-queue must be at least 1");
        }
        long cache = kvMemory == null ? MachineMemory.total() / MEMORY_SHARE : bytes("--kv-memory", kvMemory);
        return new EngineOptions(parallel, maxQueue, cache);
    }

    private InstalledModel installed(
            ModelLocation.Local location, EngineOptions limits, @Nullable Path cache, PrintWriter err)
            throws IOException {
        // Looked at now: that a model cannot be read is better known before somebody asks for it.
        try (Checkpoint checkpoint = runnerOptions.checkpoint(location)) {
            ModelConfig config = checkpoint.config();
            List<String> aliases = new ArrayList<>(List.of(location.name()));
            String size = config.layers() == ModelConfig.GPT_OSS_20B.layers() && config.experts() == 32
                    ? "20b"
                    : config.layers() == 36 && config.experts() == 128 ? "120b" : null;
            if (size != null) {
                aliases.addAll(List.of("gpt-oss:" + size, "gpt-oss-" + size, "openai/gpt-oss-" + size, "gpt-oss"));
            }
            return new InstalledModel(
                    name(location),
                    aliases,
                    checkpoint.bytes(),
                    Instant.ofEpochMilli(
                            Files.getLastModifiedTime(location.path()).toMillis()),
                    config.parameters(),
                    config.maxContext(),
                    location.isNano() ? "BF16" : "MXFP4",
                    () -> runnerOptions.open(location, limits, cache, err));
        }
    }

    /** Of a file or folder: its own name, without where it is. */
    private static String name(ModelLocation.Local location) {
        if (location.isNano()) {
            return ModelLocation.NANO;
        }
        boolean isPath = location.name().equals(location.path().toString());
        String name = isPath
                ? String.valueOf(location.path().toAbsolutePath().normalize().getFileName())
                : location.name();
        return name.endsWith(".gguf") ? name.substring(0, name.length() - ".gguf".length()) : name;
    }

    private static Duration duration(String option, String text) {
        Matcher parts = DURATION.matcher(text);
        if (!parts.matches()) {
            throw new UsageException(option + " is " + text + ", must be like 30s, 5m or 1h");
        }
        long number = Long.parseLong(parts.group(1));
        return switch (parts.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "m" -> Duration.ofMinutes(number);
            case "h" -> Duration.ofHours(number);
            case null, default -> Duration.ofSeconds(number);
        };
    }

    private static long bytes(String option, String text) {
        Matcher parts = Pattern.compile("(\\d{1,12})([KMGT]?)B?").matcher(text.toUpperCase(Locale.ROOT));
        if (!parts.matches()) {
            throw new UsageException(option + " is " + text + ", must be like 500M or 4G");
        }
        return Long.parseLong(parts.group(1))
                << 10 * " KMGT".indexOf(parts.group(2).isEmpty() ? " " : parts.group(2));
    }
}
