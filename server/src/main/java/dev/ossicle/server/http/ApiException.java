package dev.ossicle.server.http;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A request that is not answered: the reason, in the terms that every dialect has words for. */
public final class ApiException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;
    private final @Nullable String code;
    private final @Nullable String param;
    private int retryAfter;

    private ApiException(int status, String type, @Nullable String code, @Nullable String param, String message) {
        super(message);
        this.status = status;
        this.type = type;
        this.code = code;
        this.param = param;
    }

    /** @param param the field, as a path into the body: {@code messages[2].content} */
    public static ApiException badRequest(@Nullable String param, String message) {
        return badRequest(param, null, message);
    }

    public static ApiException badRequest(@Nullable String param, @Nullable String code, String message) {
        return new ApiException(400, "invalid_request_error", code, param, message);
    }

    public static ApiException unauthorized(String message) {
        return new ApiException(401, "invalid_request_error", "invalid_api_key", null, message);
    }

    public static ApiException forbidden(String message) {
        return new ApiException(403, "invalid_request_error", "forbidden", null, message);
    }

    public static ApiException notFound(@Nullable String param, @Nullable String code, String message) {
        return new ApiException(404, "invalid_request_error", code, param, message);
    }

    /** Any other refusal of what the client sent. */
    public static ApiException refused(int status, String code, String message) {
        return new ApiException(status, "invalid_request_error", code, null, message);
    }

    /** @param seconds after which it is worth trying again */
    public static ApiException tooBusy(int seconds, String message) {
        ApiException e = new ApiException(429, "rate_limit_error", "rate_limit_exceeded", null, message);
        e.retryAfter = seconds;
        return e;
    }

    /** @param seconds after which it is worth trying again */
    public static ApiException unavailable(int seconds, String code, String message) {
        ApiException e = new ApiException(503, "server_error", code, null, message);
        e.retryAfter = seconds;
        return e;
    }

    public static ApiException serverError(String message) {
        return new ApiException(500, "server_error", "server_error", null, message);
    }

    public int status() {
        return status;
    }

    public String type() {
        return type;
    }

    public @Nullable String code() {
        return code;
    }

    public @Nullable String param() {
        return param;
    }

    /** Seconds; 0 for unknown. */
    public int retryAfter() {
        return retryAfter;
    }

    public String message() {
        return String.valueOf(getMessage());
    }
}
