// The server's HTTP API. Paths are relative, so that the page works behind a proxy that adds a prefix.
import { events } from "./sse.js";
import { key } from "./settings.js";

/** The server refused, or (with status 0) could not be reached. */
export class ApiError extends Error {
    constructor(message, status, code, retryAfter) {
        super(message);
        this.status = status;
        this.code = code;
        this.retryAfter = retryAfter;
    }
}

async function call(path, options = {}) {
    const headers = { ...options.headers };
    if (key.get()) {
        headers.authorization = `Bearer ${key.get()}`;
    }
    let response;
    try {
        response = await fetch(path, { ...options, headers, credentials: "same-origin" });
    } catch (e) {
        if (e.name === "AbortError") {
            throw e;
        }
        throw new ApiError("The server cannot be reached.", 0, "unreachable", 0);
    }
    if (!response.ok) {
        let error = {};
        try {
            error = (await response.json()).error ?? {};
        } catch {
            // somebody in between answered
        }
        throw new ApiError(
            typeof error.message === "string" ? error.message : `The server answered with status ${response.status}.`,
            response.status,
            error.code ?? null,
            Number(response.headers.get("retry-after")) || 0,
        );
    }
    return response;
}

/** The models that can be asked, and the tools that a request may list: {data, tools}. */
export async function models(signal) {
    return (await call("v1/models", { signal })).json();
}

/** Whether the server would answer: "ok", "down", or what it is waiting for. */
export async function health() {
    try {
        const response = await fetch("health", { cache: "no-store" });
        const body = await response.json();
        return { status: body.status ?? "down", device: body.device ?? null };
    } catch {
        return { status: "down", device: null };
    }
}

/** The events of a streamed response. */
export async function* respond(request, signal, onIgnored = () => {}) {
    const response = await call("v1/responses", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
        signal,
    });
    const ignored = response.headers.get("x-ossicle-ignored");
    if (ignored) {
        onIgnored(ignored.split(", "));
    }
    yield* events(response.body);
}

/** A file that Python left. */
export async function containerFile(container, file) {
    const path = `v1/containers/${encodeURIComponent(container)}/files/${encodeURIComponent(file)}/content`;
    return (await call(path)).blob();
}
