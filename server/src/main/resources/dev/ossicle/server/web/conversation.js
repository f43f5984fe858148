// What a conversation is, as it is kept, exported and read back.
//
// conversation: {id, title, created, updated, model, effort, tools, instructions, schema, sampling, turns}
// turn: {id, question, answers, shown}; shown is the place of the answer that counts
import { text } from "./answer.js";

export const EFFORTS = ["low", "medium", "high"];
const FORMAT = "ossicle-conversations";
const STATUS = ["done", "cut", "stopped", "lost", "failed"];

/** What can be set of the sampling, with its bounds. */
export const SAMPLING = {
    temperature: { label: "Temperature", min: 0, max: 2, step: 0.1, placeholder: "1" },
    top_p: { label: "Top-p", min: 0, max: 1, step: 0.05, placeholder: "1" },
    seed: { label: "Seed", min: 0, max: 4294967295, step: 1, placeholder: "any" },
    max_output_tokens: { label: "Tokens at most", min: 1, max: 1048576, step: 1, placeholder: "no limit" },
};

export const newId = () => crypto.getRandomValues(new Uint32Array(4)).reduce((id, part) => id + part.toString(36), "");

export function create(defaults, now) {
    return {
        id: newId(),
        title: "",
        created: now,
        updated: now,
        model: defaults.model ?? null,
        effort: defaults.effort ?? "medium",
        tools: defaults.tools ?? [],
        instructions: defaults.instructions ?? "",
        schema: "",
        sampling: defaults.sampling ?? {},
        turns: [],
    };
}

export const titleOf = (conversation) => conversation.title || "New conversation";

/** From what was asked first. */
export function titleFrom(question) {
    const line = question.trim().split("\n", 1)[0];
    return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

export const shownAnswer = (turn) => turn.answers[turn.shown] ?? null;

/** Tokens that the conversation takes, by the last answer that said so; null if none did. */
export function contextUsed(conversation) {
    for (let i = conversation.turns.length - 1; i >= 0; i--) {
        const usage = shownAnswer(conversation.turns[i])?.usage;
        if (usage) {
            return usage.total_tokens;
        }
    }
    return null;
}

/** What the user knows a tool of the server's by; the label of an MCP server, else the type. */
export const toolId = (tool) => (tool.type === "mcp" ? `mcp:${tool.server_label}` : tool.type);

/** An answer in the middle of which the page was closed. */
export function settle(conversation) {
    const turns = conversation.turns.map((turn) => ({
        ...turn,
        answers: turn.answers.map((answer) =>
            answer.status === "streaming"
                ? {
                      ...answer,
                      status: "lost",
                      error: "The page was closed before the answer was complete.",
                      items: answer.items.map((item) => ({ ...item, ms: item.ms ?? 0 })),
                  }
                : answer,
        ),
    }));
    return { ...conversation, turns };
}

/** The ids of all files that answers name. */
export const filesOf = (all) =>
    new Set(
        all.flatMap((conversation) =>
            conversation.turns.flatMap((turn) =>
                turn.answers.flatMap((answer) =>
                    answer.items.flatMap((item) => (item.annotations ?? []).map((annotation) => annotation.file_id)),
                ),
            ),
        ),
    );

/** Whether it has what is looked for. */
export function matches(conversation, words) {
    const needle = words.trim().toLowerCase();
    return (
        needle === "" ||
        titleOf(conversation).toLowerCase().includes(needle) ||
        conversation.turns.some(
            (turn) =>
                turn.question.toLowerCase().includes(needle) ||
                turn.answers.some((answer) => text(answer).toLowerCase().includes(needle)),
        )
    );
}

export const exported = (conversations) =>
    JSON.stringify({ format: FORMAT, version: 1, conversations: conversations.map(settle) }, null, 1);

/** Reads what was exported, and takes nothing on trust. @throws Error that says what is wrong */
export function imported(json) {
    let file;
    try {
        file = JSON.parse(json);
    } catch (e) {
        throw new Error(`This file is not JSON: ${e.message}`);
    }
    if (file?.format !== FORMAT || !Array.isArray(file.conversations)) {
        throw new Error(`This file holds no conversations of Ossicle's: there is no "format": "${FORMAT}" in it.`);
    }
    return file.conversations.map((one, i) => readConversation(one, `conversations[${i}]`));
}

function readConversation(value, at) {
    const own = object(value, at);
    return settle({
        id: newId(), // so that nothing is overwritten
        title: string(own.title ?? "", `${at}.title`),
        created: number(own.created ?? 0, `${at}.created`),
        updated: number(own.updated ?? 0, `${at}.updated`),
        model: own.model == null ? null : string(own.model, `${at}.model`),
        effort: EFFORTS.includes(own.effort) ? own.effort : "medium",
        tools: array(own.tools ?? [], `${at}.tools`).map((tool, i) => string(tool, `${at}.tools[${i}]`)),
        instructions: string(own.instructions ?? "", `${at}.instructions`),
        schema: string(own.schema ?? "", `${at}.schema`),
        sampling: Object.fromEntries(
            Object.keys(SAMPLING)
                .filter((name) => own.sampling?.[name] !== undefined)
                .map((name) => [name, number(own.sampling[name], `${at}.sampling.${name}`)]),
        ),
        turns: array(own.turns, `${at}.turns`).map((turn, i) => readTurn(turn, `${at}.turns[${i}]`)),
    });
}

function readTurn(value, at) {
    const own = object(value, at);
    const answers = array(own.answers ?? [], `${at}.answers`).map((one, i) => readAnswer(one, `${at}.answers[${i}]`));
    const shown = number(own.shown ?? 0, `${at}.shown`);
    return {
        id: newId(),
        question: string(own.question, `${at}.question`),
        answers,
        shown: shown in answers ? shown : Math.max(0, answers.length - 1),
    };
}

function readAnswer(value, at) {
    const own = object(value, at);
    const optional = (name) => (own[name] == null ? null : number(own[name], `${at}.${name}`));
    return {
        id: newId(),
        model: own.model == null ? null : string(own.model, `${at}.model`),
        effort: EFFORTS.includes(own.effort) ? own.effort : "medium",
        status: STATUS.includes(own.status) ? own.status : "lost",
        error: own.error == null ? null : string(own.error, `${at}.error`),
        items: array(own.items ?? [], `${at}.items`).map((item, i) => readItem(item, `${at}.items[${i}]`)),
        usage: own.usage == null ? null : readUsage(object(own.usage, `${at}.usage`), `${at}.usage`),
        began: number(own.began ?? 0, `${at}.began`),
        first: optional("first"),
        ended: optional("ended"),
        pieces: number(own.pieces ?? 0, `${at}.pieces`),
    };
}

function readUsage(own, at) {
    const count = (name) => number(own[name] ?? 0, `${at}.${name}`);
    return {
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        total_tokens: count("total_tokens"),
        output_tokens_details: { reasoning_tokens: Number(own.output_tokens_details?.reasoning_tokens) || 0 },
    };
}

function readItem(value, at) {
    const own = object(value, at);
    const item = {
        ...own,
        type: string(own.type, `${at}.type`),
        id: string(own.id ?? newId(), `${at}.id`),
        began: number(own.began ?? 0, `${at}.began`),
        ms: number(own.ms ?? 0, `${at}.ms`),
    };
    for (const name of ["text", "code", "arguments", "input", "name", "output", "status", "phase"]) {
        if (own[name] != null && typeof own[name] !== "string") {
            throw new Error(`${at}.${name} should be a text.`);
        }
    }
    if (typeof own.decided !== "boolean") {
        delete item.decided;
    }
    if (item.type === "message" || item.type === "reasoning") {
        item.text = own.text ?? "";
        item.annotations = array(own.annotations ?? [], `${at}.annotations`).map((one, i) =>
            object(one, `${at}.annotations[${i}]`),
        );
    }
    return item;
}

function object(value, at) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
        throw new Error(`${at} should be an object.`);
    }
    return value;
}

function array(value, at) {
    if (!Array.isArray(value)) {
        throw new Error(`${at} should be a list.`);
    }
    return value;
}

function string(value, at) {
    if (typeof value !== "string") {
        throw new Error(`${at} should be a text.`);
    }
    return value;
}

function number(value, at) {
    if (typeof value !== "number" || !Number.isFinite(value)) {
        throw new Error(`${at} should be a number.`);
    }
    return value;
}
