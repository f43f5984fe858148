package dev.ossicle.server.http;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** Whose words a client understands: how errors are told. */
public enum Dialect {
    OPENAI,
    ANTHROPIC,
    OLLAMA;

    /** By the path, so that what fails before a route is found is told in the right words too. */
    static Dialect of(String path) {
        if (path.startsWith("/api/")) {
            return OLLAMA;
        }
        return path.startsWith("/v1/messages") ? ANTHROPIC : OPENAI;
    }

    /** The body of an error. */
    public JsonObject error(ApiException error) {
        return switch (this) {
            case OPENAI ->
                JsonObject.builder()
                        .put(
                                "error",
                                JsonObject.builder()
                                        .put("message", error.message())
                                        .put("type", error.type())
                                        .put("param", orNull(error.param()))
                                        .put("code", orNull(error.code()))
                                        .build())
                        .build();
            case ANTHROPIC ->
                JsonObject.builder()
                        .put("type", "error")
                        .put(
                                "error",
                                JsonObject.builder()
                                        .put("type", anthropicType(error.status()))
                                        .put(
                                                "message",
                                                error.param() == null
                                                        ? error.message()
                                                        : error.param() + ": " + error.message())
                                        .build())
                        .build();
            case OLLAMA ->
                JsonObject.builder()
                        .put("error", error.param() == null ? error.message() : error.param() + ": " + error.message())
                        .build();
        };
    }

    private static Json orNull(@Nullable String text) {
        return text == null ? JsonNull.NULL : Json.of(text);
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> "overloaded_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
    }
}
