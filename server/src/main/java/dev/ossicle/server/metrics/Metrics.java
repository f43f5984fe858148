package dev.ossicle.server.metrics;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.engine.EngineStatus;
import dev.ossicle.harmony.Repair;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** Counters and times; docs/api.md lists them. Thread-safe. */
public final class Metrics {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    /** What the registry holds weakly. */
    private final List<Object> held = new CopyOnWriteArrayList<>();

    private final Timer firstToken = timer("ossicle.time.to.first.token", "From the request to its first token", 60);
    private final Timer nextToken = timer("ossicle.inter.token", "From one token to the next", 10);

    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        // Counters that exist from the start can be watched from the start.
        for (Repair.Kind kind : Repair.Kind.values()) {
            repairs(kind);
        }
    }

    private Timer timer(String name, String description, int maxSeconds) {
        return Timer.builder(name)
                .description(description)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1))
                .maximumExpectedValue(Duration.ofSeconds(maxSeconds))
                .register(registry);
    }

    private Counter repairs(Repair.Kind kind) {
        return Counter.builder("ossicle.harmony.repairs")
                .description("Slips of the model in Harmony's framing that were put right")
                .tag("kind", kind.name().toLowerCase(Locale.ROOT))
                .register(registry);
    }

    /** Shows where the engine stands. */
    public void watch(Supplier<EngineStatus> status) {
        gauge("ossicle.requests.waiting", "Generations that are not computed yet", status, EngineStatus::waiting);
        gauge("ossicle.requests.running", "Generations that are computed", status, EngineStatus::running);
        gauge("ossicle.kv.cache.bytes", "Bytes of keys and values", status, EngineStatus::cacheBytes);
        counter("ossicle.passes", "Forward passes", status, EngineStatus::passes);
        counter(
                "ossicle.pass.sequences",
                "Sequences in all passes; by passes: the batch size",
                status,
                s -> s.sequences());
        counter("ossicle.pass.tokens", "Tokens in all passes", status, EngineStatus::tokens);
    }

    private void gauge(
            String name, String description, Supplier<EngineStatus> status, ToDoubleFunction<EngineStatus> value) {
        Gauge.builder(name, status, s -> value.applyAsDouble(s.get()))
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    private void counter(
            String name, String description, Supplier<EngineStatus> status, ToDoubleFunction<EngineStatus> value) {
        FunctionCounter.builder(name, status, s -> value.applyAsDouble(s.get()))
                .description(description)
                .register(registry);
        held.add(status);
    }

    public void firstToken(long nanos) {
        firstToken.record(Duration.ofNanos(nanos));
    }

    public void nextToken(long nanos) {
        nextToken.record(Duration.ofNanos(nanos));
    }

    public void answered(Usage usage, List<Repair> repairs, String end) {
        count("ossicle.prompt.tokens", "Tokens of prompts", usage.promptTokens());
        count("ossicle.cached.tokens", "Tokens of prompts that did not have to be computed", usage.cachedTokens());
        count("ossicle.generated.tokens", "Tokens that were drawn", usage.completionTokens());
        count("ossicle.reasoning.tokens", "Tokens that were thought", usage.reasoningTokens());
        registry.counter("ossicle.answers", "end", end.toLowerCase(Locale.ROOT)).increment();
        repairs.forEach(repair -> repairs(repair.kind()).increment());
    }

    private void count(String name, String description, int amount) {
        Counter.builder(name).description(description).register(registry).increment(amount);
    }

    /** @param route the pattern, not the path */
    public void request(String route, int status, long nanos) {
        registry.timer("ossicle.http.requests", Tags.of("route", route, "status", Integer.toString(status)))
                .record(Duration.ofNanos(nanos));
    }

    /** In Prometheus's text format. */
    public String text() {
        return registry.scrape();
    }
}
