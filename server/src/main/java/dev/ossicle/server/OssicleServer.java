package dev.ossicle.server;

import dev.ossicle.engine.EngineStatus;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.anthropic.Messages;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Dialect;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Guard;
import dev.ossicle.server.http.PeekingConnector;
import dev.ossicle.server.http.Router;
import dev.ossicle.server.http.Router.Action;
import dev.ossicle.server.http.Router.Route;
import dev.ossicle.server.http.Tls;
import dev.ossicle.server.metrics.Metrics;
import dev.ossicle.server.models.ModelHost;
import dev.ossicle.server.ollama.Ollama;
import dev.ossicle.server.ollama.OllamaModels;
import dev.ossicle.server.openai.ChatCompletions;
import dev.ossicle.server.openai.Completions;
import dev.ossicle.server.openai.Containers;
import dev.ossicle.server.openai.Models;
import dev.ossicle.server.openai.Responses;
import dev.ossicle.server.store.KeptFiles;
import dev.ossicle.server.store.MemoryResponseStore;
import dev.ossicle.server.store.ResponseStore;
import dev.ossicle.server.store.SqliteResponseStore;
import dev.ossicle.server.web.WebPage;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.VirtualThreadPool;

/** The server: from {@link #start} to {@link #close}. */
public final class OssicleServer implements AutoCloseable {
    /** Jetty tells of each start and stop; held, since loggers that nobody holds forget their level. */
    private static final Logger JETTY = Logger.getLogger("org.eclipse.jetty");

    private static final int MAX_HEADER_BYTES = 32 << 10;

    /** How long before the end of the grace period what is still open is broken off, so that it can be told. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final ServerOptions options;
    private final ModelHost models;
    private final ResponseStore store;
    private final KeptFiles files = new KeptFiles();
    private final Metrics metrics = new Metrics();
    private final Answers answers;
    private final Router router;
    private final Server jetty;
    private final PeekingConnector connector;
    private volatile boolean closing;

    private OssicleServer(ServerOptions options, ModelHost models, BuiltIns builtIns) {
        if (!Guard.isLoopback(options.host())
                && options.access().keys().isEmpty()
                && !options.access().insecure()) {
            throw new IllegalArgumentException("listening on " + options.host() + " lets other machines in: give a key"
                    + " with --api-key, or say --insecure if nobody else can reach it");
        }
        this.options = options;
        this.models = models;
        this.store = options.store() == null ? new MemoryResponseStore() : new SqliteResponseStore(options.store());
        this.answers = new Answers(metrics, options.limits().timeout(), builtIns, files);
        metrics.watch(() -> {
            EngineStatus status = models.status();
            return status == null ? EngineStatus.IDLE : status;
        });
        this.router = new Router(
                routes(),
                new Guard(
                        options.access().hosts(),
                        options.access().origins(),
                        options.access().keys()),
                options.limits().maxBody(),
                options.limits().ping(),
                Runs::error,
                metrics,
                options.log());
        QueuedThreadPool threads = new QueuedThreadPool();
        threads.setName("ossicle-http");
        threads.setDaemon(true);
        threads.setVirtualThreadsExecutor(new VirtualThreadPool()); // handlers block
        this.jetty = new Server(threads);
        this.connector = connector();
        jetty.addConnector(connector);
        jetty.setHandler(new GracefulHandler(router));
        jetty.setErrorHandler(new Errors());
        jetty.setStopTimeout(options.limits().grace().toMillis());
    }

    private PeekingConnector connector() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(MAX_HEADER_BYTES);
        PeekingConnector made;
        ServerOptions.Certificate certificate = options.certificate();
        if (certificate == null) {
            made = new PeekingConnector(jetty, new HttpConnectionFactory(http));
        } else {
            SecureRequestCustomizer customizer = new SecureRequestCustomizer();
            customizer.setSniHostCheck(false); // the guard looks at the name
            http.addCustomizer(customizer);
            made = new PeekingConnector(
                    jetty,
                    new SslConnectionFactory(Tls.of(certificate.chain(), certificate.key()), "http/1.1"),
                    new HttpConnectionFactory(http));
        }
        made.setHost(options.host());
        made.setPort(options.port());
        made.setIdleTimeout(options.limits().idle().toMillis());
        return made;
    }

    /**
     * Listens. The models are closed with the server.
     *
     * @throws IOException if the port is taken
     * @throws IllegalArgumentException if the options do not go together
     */
    public static OssicleServer start(ServerOptions options, ModelHost models) throws IOException {
        return start(options, models, BuiltIns.NONE);
    }

    /** The same with tools that this server runs itself. */
    public static OssicleServer start(ServerOptions options, ModelHost models, BuiltIns builtIns) throws IOException {
        JETTY.setLevel(Level.WARNING);
        OssicleServer server;
        try {
            server = new OssicleServer(options, models, builtIns);
        } catch (RuntimeException e) {
            models.close();
            throw e;
        }
        try {
            server.jetty.start();
        } catch (Exception e) {
            server.close();
            Throwable cause = e instanceof IOException && e.getCause() != null ? e.getCause() : e;
            if (cause instanceof BindException) {
                throw new IOException(
                        "port " + options.port() + " of " + options.host() + " cannot be had (" + cause.getMessage()
                                + "): another server, Ollama perhaps, may have it; choose one with --port",
                        e);
            }
            throw new IOException("the server cannot start: " + e.getMessage(), e);
        }
        return server;
    }

    /** Where it listens. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Requests that are being answered. */
    int openRequests() {
        return router.open();
    }

    /** {@code http://127.0.0.1:11434}. */
    public String address() {
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        return (options.certificate() == null ? "http" : "https") + "://" + host + ":" + port();
    }

    private static String openApi() throws IOException {
        try (InputStream in = OssicleServer.class.getResourceAsStream("openapi.yaml")) {
            if (in == null) {
                throw new IOException("this build has no openapi.yaml");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** All that is answered; openapi.yaml says the same, and a test holds it to that. */
    List<Route> routes() {
        ChatCompletions chat = new ChatCompletions(models, answers);
        Responses responses = new Responses(models, answers, store);
        Completions completions = new Completions(models, answers);
        Containers containers = new Containers(files);
        Models list = new Models(models, answers.builtIns());
        Messages messages = new Messages(models, answers);
        Ollama ollama = new Ollama(models, answers);
        OllamaModels ollamaModels = new OllamaModels(models);
        WebPage page = new WebPage();
        List<Route> routes = new ArrayList<>();
        open(routes, "GET", "/", page::page);
        open(routes, "GET", "/web/{file...}", page::file);
        open(routes, "GET", "/health", this::health);
        open(routes, "GET", "/v1/health", this::health);
        open(routes, "GET", "/openapi.yaml", exchange -> exchange.send(200, "application/yaml", openApi()));
        add(
                routes,
                "GET",
                "/metrics",
                exchange -> exchange.send(200, "text/plain; version=0.0.4; charset=utf-8", metrics.text()));
        add(routes, "POST", "/v1/chat/completions", chat::handle);
        add(routes, "POST", "/v1/completions", completions::handle);
        add(routes, "POST", "/v1/responses", responses::create);
        add(routes, "POST", "/v1/responses/input_tokens", responses::countTokens);
        add(routes, "GET", "/v1/responses/{id}", responses::get);
        add(routes, "DELETE", "/v1/responses/{id}", responses::delete);
        add(routes, "POST", "/v1/responses/{id}/cancel", responses::cancel);
        add(routes, "GET", "/v1/responses/{id}/input_items", responses::inputItems);
        add(routes, "GET", "/v1/containers/{container}/files", containers::list);
        add(routes, "GET", "/v1/containers/{container}/files/{file}", containers::get);
        add(routes, "GET", "/v1/containers/{container}/files/{file}/content", containers::content);
        add(routes, "GET", "/v1/models", list::list);
        add(routes, "GET", "/v1/models/{model...}", list::get);
        add(routes, "POST", "/v1/messages", messages::create);
        add(routes, "POST", "/v1/messages/count_tokens", messages::countTokens);
        add(routes, "POST", "/tokenize", completions::tokenize);
        add(routes, "POST", "/detokenize", completions::detokenize);
        add(routes, "POST", "/api/chat", ollama::chat);
        add(routes, "POST", "/api/generate", ollama::generate);
        add(routes, "GET", "/api/tags", ollamaModels::tags);
        add(routes, "POST", "/api/show", ollamaModels::show);
        add(routes, "GET", "/api/ps", ollamaModels::ps);
        add(routes, "GET", "/api/version", ollamaModels::version);
        add(routes, "POST", "/api/pull", ollamaModels::pull);
        return routes;
    }

    private static void open(List<Route> routes, String method, String pattern, Action action) {
        routes.add(new Route(method, pattern, true, action));
    }

    private static void add(List<Route> routes, String method, String pattern, Action action) {
        routes.add(new Route(method, pattern, false, action));
    }

    /** Answers without looking at the model, however busy it is. */
    private void health(Exchange exchange) throws IOException {
        String failure = models.failure();
        if (closing || models.isLoading() || failure != null) {
            String status = closing ? "shutting down" : failure != null ? failure : "loading";
            exchange.setHeader("retry-after", "1");
            exchange.send(
                    503,
                    "application/json",
                    JsonObject.builder().put("status", status).build().toString());
            return;
        }
        ModelHost.Resident resident = models.resident();
        JsonObject.Builder json = JsonObject.builder().put("status", "ok");
        if (resident != null) {
            EngineStatus status = resident.model().engine().status();
            json.put("model", resident.installed().name())
                    .put("device", resident.model().device())
                    .put("running", status.running())
                    .put("waiting", status.waiting());
        }
        exchange.send(json.build());
    }

    /** Failures that Jetty finds before any route is. */
    private static final class Errors extends ErrorHandler {
        @Override
        protected void generateResponse(
                Request request, Response response, int code, String message, Throwable cause, Callback callback) {
            ApiException error = code == 503
                    ? ApiException.unavailable(1, "shutting_down", "the server is shutting down")
                    : code >= 500
                            ? ApiException.serverError("the server failed")
                            : ApiException.refused(
                                    code, "bad_request", message == null ? HttpStatus.getMessage(code) : message);
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
            Content.Sink.write(response, true, Dialect.OPENAI.error(error).toString(), callback);
        }

        @Override
        public ByteBuffer badMessageError(int status, String reason, HttpFields.Mutable fields) {
            fields.put(HttpHeader.CONTENT_TYPE, "application/json");
            String message = reason == null ? HttpStatus.getMessage(status) : reason;
            return StandardCharsets.UTF_8.encode(Dialect.OPENAI
                    .error(ApiException.refused(status, "bad_request", message))
                    .toString());
        }
    }

    /** Takes nothing new, lets every open answer end or tells it that it will not, then frees the model. */
    @Override
    public void close() {
        closing = true;
        Duration patience = options.limits().grace().minus(LAST_WORDS);
        Thread breaker = Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(
                        patience.isPositive()
                                ? patience
                                : options.limits().grace().dividedBy(2));
                answers.shutdown();
            } catch (InterruptedException e) {
                // all have ended
            }
        });
        try {
            jetty.stop();
        } catch (Exception e) {
            System.getLogger("dev.ossicle.server").log(System.Logger.Level.WARNING, "stopping failed", e);
        }
        breaker.interrupt();
        router.close();
        answers.close();
        models.close();
        store.close();
        files.close();
        answers.builtIns().mcp().close();
    }
}
