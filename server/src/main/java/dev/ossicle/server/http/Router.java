package dev.ossicle.server.http;

import dev.ossicle.server.metrics.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** Finds who handles a request, and turns whatever goes wrong into an answer that says so. */
public final class Router extends Handler.Abstract implements AutoCloseable {
    /** What handles a request. */
    public interface Action {
        void handle(Exchange exchange) throws IOException, InterruptedException;
    }

    /**
     * A method and a path, in which a segment {@code {name}} stands for any, and {@code {name...}} at the end for the rest.
     *
     * @param open whether it is answered without a key
     */
    public record Route(String method, String pattern, boolean open, Action action) {
        @Nullable
        Map<String, String> match(String path) {
            String[] parts = pattern.split("/", -1);
            String[] given = path.split("/", -1);
            Map<String, String> parameters = new LinkedHashMap<>();
            for (int i = 0; i < parts.length; i++) {
                if (parts[i].endsWith("...}") && i < given.length) {
                    parameters.put(
                            parts[i].substring(1, parts[i].length() - 4),
                            String.join("/", List.of(given).subList(i, given.length)));
                    return parameters;
                }
                if (i >= given.length) {
                    return null;
                }
                if (parts[i].startsWith("{") && !given[i].isEmpty()) {
                    parameters.put(parts[i].substring(1, parts[i].length() - 1), given[i]);
                } else if (!parts[i].equals(given[i])) {
                    return null;
                }
            }
            return parts.length == given.length ? parameters : null;
        }
    }

    private final List<Route> routes;
    private final Guard guard;
    private final long maxBody;
    private final Function<Throwable, ApiException> errors;
    private final Metrics metrics;
    private final RequestLog log;
    private final Watch watch;

    /**
     * @param errors says in which terms a failure is told
     * @param ping silence after which a stream says that it is there
     */
    public Router(
            List<Route> routes,
            Guard guard,
            long maxBody,
            Duration ping,
            Function<Throwable, ApiException> errors,
            Metrics metrics,
            RequestLog log) {
        super(InvocationType.BLOCKING);
        this.routes = List.copyOf(routes);
        this.guard = guard;
        this.maxBody = maxBody;
        this.errors = errors;
        this.metrics = metrics;
        this.log = log;
        this.watch = new Watch(ping);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        long start = System.nanoTime();
        String path = Request.getPathInContext(request);
        // The answer may take longer than the connection may be idle.
        request.addIdleTimeoutListener(timeout -> false);
        Exchange exchange = new Exchange(request, response, Dialect.of(path), Map.of(), maxBody, watch);
        String route = "none";
        try {
            guard.checkOrigin(request);
            if (guard.answerPreflight(request, response)) {
                route = "preflight";
                callback.succeeded();
                return true;
            }
            Found found = find(request.getMethod(), path, response);
            route = found.route.pattern();
            if (!found.route.open()) {
                guard.checkKey(request);
            }
            exchange = new Exchange(request, response, Dialect.of(path), found.parameters, maxBody, watch);
            found.route.action().handle(exchange);
            exchange.end();
            callback.succeeded();
        } catch (ClientGoneException e) {
            callback.failed(e);
        } catch (Exception | Error e) { // whatever it was, somebody waits
            fail(exchange, e, callback);
        } finally {
            exchange.release();
            long nanos = System.nanoTime() - start;
            metrics.request(route, exchange.status(), nanos);
            log.request(exchange, request.getMethod(), path, nanos);
        }
        return true;
    }

    private record Found(Route route, Map<String, String> parameters) {}

    private Found find(String method, String path, Response response) {
        List<String> others = new ArrayList<>();
        String wanted = method.equals("HEAD") ? "GET" : method;
        for (Route route : routes) {
            Map<String, String> parameters = route.match(path);
            if (parameters != null) {
                if (route.method().equals(wanted)) {
                    return new Found(route, parameters);
                }
                others.add(route.method());
            }
        }
        if (others.isEmpty()) {
            throw ApiException.notFound(null, "unknown_url", "there is nothing at " + method + " " + path);
        }
        response.getHeaders().put(HttpHeader.ALLOW, String.join(", ", others));
        throw ApiException.refused(
                405,
                "method_not_allowed",
                method + " is not possible at " + path + ", use " + String.join(" or ", others));
    }

    private void fail(Exchange exchange, Throwable failure, Callback callback) {
        ApiException error = errors.apply(failure);
        if (error.status() == 500) {
            System.getLogger("dev.ossicle.server")
                    .log(System.Logger.Level.ERROR, exchange.id() + ": " + error.message(), failure);
        }
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        try {
            if (exchange.hasBegun()) {
                exchange.end(); // the stream has told it in its own words
            } else {
                exchange.sendError(error);
            }
            callback.succeeded();
        } catch (IOException e) {
            callback.failed(e);
        }
    }

    /** Exchanges and streams that are open. */
    public int open() {
        return watch.watched();
    }

    @Override
    public void close() {
        watch.close();
    }
}
