// An answer as it grows out of the events of a streamed response. Nothing is changed in place: each event makes a new answer.
//
// answer: {id, model, effort, status, error, items, usage, began, first, ended, pieces}
//   status: "streaming", "done", "cut" (a limit was reached), "stopped" (by the user), "lost" (the connection), "failed"
//   times in milliseconds since 1970; pieces counts the deltas, which are about one token each
// item: as the server sends it, with {began, ms} and, for reasoning and messages, {text, annotations}

export function begin(id, model, effort, now) {
    return {
        id,
        model,
        effort,
        status: "streaming",
        error: null,
        items: [],
        usage: null,
        began: now,
        first: null,
        ended: null,
        pieces: 0,
    };
}

/** Goes on with an answer. */
export const resume = (answer) => ({ ...answer, status: "streaming", error: null, ended: null });

/** Whether the user has yet to say if a tool may be called. */
export const isUndecided = (answer) =>
    answer.items.some((item) => item.type === "mcp_approval_request" && item.decided === undefined);

export function end(answer, status, error, now) {
    return { ...answer, status, error, ended: now, items: answer.items.map((item) => closed(item, now)) };
}

function closed(item, now) {
    return item.ms === null ? { ...item, ms: now - item.began, status: "incomplete" } : item;
}

export function apply(answer, event, now) {
    switch (event.type) {
        case "response.created":
            return { ...answer, model: event.response.model ?? answer.model };
        case "response.output_item.added":
            return { ...answer, items: [...answer.items, opened(event.item, now)] };
        case "response.output_item.done":
            return answer.items.some((item) => item.id === event.item.id)
                ? change(answer, event.item, (item) => done(item, event.item, now))
                : { ...answer, items: [...answer.items, done({ began: now }, event.item, now)] };
        case "response.output_text.delta":
        case "response.reasoning_text.delta":
            return grow(answer, event, "text", now);
        case "response.output_text.annotation.added":
            return change(answer, { id: event.item_id }, (item) => ({
                ...item,
                annotations: [...(item.annotations ?? []), event.annotation],
            }));
        case "response.code_interpreter_call_code.delta":
            return grow(answer, event, "code", now);
        case "response.code_interpreter_call_code.done":
            return change(answer, { id: event.item_id }, (item) => ({ ...item, code: event.code }));
        case "response.function_call_arguments.delta":
        case "response.mcp_call_arguments.delta":
            return grow(answer, event, "arguments", now);
        case "response.function_call_arguments.done":
        case "response.mcp_call_arguments.done":
            return change(answer, { id: event.item_id }, (item) => ({ ...item, arguments: event.arguments }));
        case "response.completed":
            return end({ ...answer, usage: event.response.usage ?? null }, "done", null, now);
        case "response.incomplete":
            return end(
                { ...answer, usage: event.response.usage ?? null },
                "cut",
                event.response.incomplete_details?.reason ?? null,
                now,
            );
        case "response.failed":
            return end(answer, "failed", event.response.error?.message ?? "The server could not go on.", now);
        case "error":
            return end(answer, "failed", event.message ?? event.error?.message ?? "The server could not go on.", now);
        default:
            return answer; // of a newer server
    }
}

function opened(item, now) {
    const text = item.type === "message" || item.type === "reasoning" ? { text: "", annotations: [] } : {};
    return { ...item, ...text, content: undefined, began: now, ms: null };
}

function done(before, item, now) {
    const parts = item.content ?? [];
    const text =
        item.type === "message" || item.type === "reasoning"
            ? {
                  text: parts.map((part) => part.text ?? part.refusal ?? "").join(""),
                  annotations: parts.flatMap((part) => part.annotations ?? []),
              }
            : {};
    return { ...item, ...text, content: undefined, began: before.began, ms: now - before.began };
}

function grow(answer, event, field, now) {
    const grown = change(answer, { id: event.item_id }, (item) => ({
        ...item,
        [field]: (item[field] ?? "") + event.delta,
    }));
    return { ...grown, first: answer.first ?? now, pieces: answer.pieces + 1 };
}

function change(answer, { id }, changed) {
    const place = answer.items.findLastIndex((item) => item.id === id);
    return place < 0 ? answer : { ...answer, items: answer.items.with(place, changed(answer.items[place])) };
}

/** What is said to the user; without what announces a tool call. */
export function text(answer) {
    return answer.items
        .filter((item) => item.type === "message" && item.phase !== "commentary")
        .map((item) => item.text)
        .join("\n\n");
}

/** Tokens per second since the first; exact at the end, about so before; null if too early to say. */
export function speed(answer, now) {
    if (answer.first === null) {
        return null;
    }
    const seconds = ((answer.ended ?? now) - answer.first) / 1000;
    const tokens = answer.usage?.output_tokens ?? answer.pieces;
    return seconds < 0.2 || tokens < 2 ? null : tokens / seconds;
}
