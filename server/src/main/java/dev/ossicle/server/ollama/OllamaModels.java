package dev.ossicle.server.ollama;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** {@code /api/tags}, {@code /api/show}, {@code /api/ps}, {@code /api/version} and {@code /api/pull}. */
public final class OllamaModels {
    /** The version of Ollama's API that this is; clients look at it. */
    private static final String API_VERSION = "0.14.0";

    /** How Ollama writes "for ever". */
    private static final String NEVER = "2318-01-01T00:00:00Z";

    private final ModelHost models;

    public OllamaModels(ModelHost models) {
        this.models = models;
    }

    public void version(Exchange exchange) throws IOException {
        exchange.send(JsonObject.builder().put("version", API_VERSION).build());
    }

    public void tags(Exchange exchange) throws IOException {
        exchange.send(JsonObject.builder()
                .put(
                        "models",
                        Json.of(models.models().stream()
                                .map(model -> listed(model)
                                        .put("modified_at", model.modified().toString())
                                        .put("size", model.bytes())
                                        .build())
                                .toList()))
                .build());
    }

    public void ps(Exchange exchange) throws IOException {
        ModelHost.Resident resident = models.resident();
        List<Json> running = resident == null ? List.of() : List.of(running(resident));
        exchange.send(JsonObject.builder().put("models", Json.of(running)).build());
    }

    private static Json running(ModelHost.Resident resident) {
        Instant expires = resident.expires();
        return listed(resident.installed())
                .put("size", resident.installed().bytes())
                .put("size_vram", 0)
                .put("expires_at", expires == null ? NEVER : expires.toString())
                .put("context_length", resident.installed().context())
                .build();
    }

    private static JsonObject.Builder listed(InstalledModel model) {
        String name = model.name().contains(":") ? model.name() : model.name() + ":latest";
        return JsonObject.builder()
                .put("name", name)
                .put("model", name)
                .put("digest", digest(model))
                .put("details", details(model))
                .put("capabilities", capabilities());
    }

    private static Json capabilities() {
        return Json.of(List.of(Json.of("completion"), Json.of("tools"), Json.of("thinking")));
    }

    private static JsonObject details(InstalledModel model) {
        return JsonObject.builder()
                .put("parent_model", "")
                .put("format", "gguf")
                .put("family", "gptoss")
                .put("families", Json.of(List.of(Json.of("gptoss"))))
                .put("parameter_size", size(model.parameters()))
                .put("quantization_level", model.quantization())
                .put("context_length", model.context())
                .build();
    }

    private static String size(long parameters) {
        return parameters >= 1_000_000_000
                ? String.format(Locale.ROOT, "%.1fB", parameters / 1e9)
                : String.format(Locale.ROOT, "%.1fM", parameters / 1e6);
    }

    /** Tells one model from another; the weights are not read for it. */
    private static String digest(InstalledModel model) {
        try {
            byte[] what =
                    (model.name() + " " + model.bytes() + " " + model.modified()).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(what));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    public void show(Exchange exchange) throws IOException {
        Fields body = exchange.body();
        InstalledModel model = models.find(body.has("model") ? body.string("model") : body.requiredString("name"));
        exchange.send(JsonObject.builder()
                .put("license", "")
                .put("modelfile", "")
                .put("parameters", "temperature 1")
                .put("template", "")
                .put("details", details(model))
                .put(
                        "model_info",
                        JsonObject.builder()
                                .put("general.architecture", "gptoss")
                                .put("general.parameter_count", model.parameters())
                                .put("gptoss.context_length", model.context())
                                .put("gpt-oss.context_length", model.context())
                                .build())
                .put("capabilities", capabilities())
                .put("modified_at", model.modified().toString())
                .build());
    }

    /** Only from this machine, and only what is known: a page elsewhere must not fill the disk. */
    public void pull(Exchange exchange) throws IOException {
        if (!exchange.isLocal()) {
            throw ApiException.forbidden("models can be pulled only from the machine that the server runs on");
        }
        Fields body = exchange.body();
        models.find(body.has("model") ? body.string("model") : body.requiredString("name"));
        // What is found is installed.
        JsonObject success = JsonObject.builder().put("status", "success").build();
        if (body.bool("stream", true)) {
            EventStream stream = exchange.stream(EventStream.Format.LINES, () -> {});
            stream.send(JsonObject.builder().put("status", "pulling manifest").build());
            stream.send(success);
        } else {
            exchange.send(success);
        }
    }
}
