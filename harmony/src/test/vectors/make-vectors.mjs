// Asks OpenAI's Harmony, as the WebAssembly build npm openai-harmony 0.4.0, and writes what it answers as vectors.
//
//     npm install --no-save openai-harmony@0.4.0
//     unzip -p jtokkit-1.1.0.jar com/knuddels/jtokkit/o200k_base.tiktoken > o200k_base.tiktoken
//     node make-vectors.mjs o200k_base.tiktoken 20261123 | gzip -9n > ../resources/dev/ossicle/harmony/more-vectors.jsonl.gz
//
// One JSON object a line: a request of the protocol of `ossicle harmony`, with "expect" or "error": true beside it.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const [vocabulary, seed] = [process.argv[2], Number(process.argv[3] ?? 1)];
globalThis.fetch = async (request) => {
  const url = String(request.url ?? request);
  const wasm = url.endsWith(".wasm");
  const response = new Response(await readFile(wasm ? fileURLToPath(url) : vocabulary), {
    headers: { "content-type": wasm ? "application/wasm" : "application/octet-stream" },
  });
  return Object.defineProperty(response, "url", { value: url });
};
const { load_harmony_encoding, JsStreamableParser } = await import("openai-harmony");
const encoding = await load_harmony_encoding("HarmonyGptOss", "http://localhost/");

// mulberry32
let state = seed >>> 0;
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
const some = (make, least, most) => Array.from({ length: least + below(most - least + 1) }, make);

const WORDS = [
  "the", "sum", "Of", "TWO", "isn't", "WE'VE", "snake_case", "CamelCase", "x = y[0];", "//", "/* c */", "12345", "3.14",
  "½", "²", "٣", "Привет", "東京", "ไทย", "नमस्ते", "שָׁלוֹם", "مرحبا", "한국어", "ǅungla", "'ſ", "🙂", "👩‍💻", "🇫🇷", "é", "ﷺ",
  "<|start|>", "<|end|>", "<|channel|>", "{\"k\":[1,2]}", "https://a.b/c?d=e#f", "\n", "\n\n", "\r\n", "\t", "  ", "   \n ",
  "\u00a0", "\u3000", "\u2028", "\u200b", "…", "!?", "--", "null", "#", "\\", "\"quoted\"",
];
const text = (most = 12) => some(() => pick(WORDS), 0, most).join(chance(0.7) ? " " : "");
const name = () => pick(["f", "get_weather", "lookup2", "run-query", "Suchen", "a.b"]);

function schema(depth) {
  const s = {};
  const kinds = ["string", "number", "integer", "boolean", "null", "object", "array", "enum", "union", "oneOf", "odd", "any"];
  const kind = pick(depth > 0 ? kinds : kinds.slice(0, 5).concat("enum"));
  if (kind === "enum") Object.assign(s, { type: "string", enum: some(() => pick(["a", "b c", "q\"q", "", "null"]), 0, 3) });
  else if (kind === "union") s.type = some(() => pick(["string", "integer", "null", "object", "array", "number"]), 0, 3);
  else if (kind === "oneOf") s.oneOf = some(() => schema(depth - 1), 0, 3);
  else if (kind === "odd") Object.assign(s, pick([{ anyOf: [{ type: "string" }] }, { allOf: [] }, { $ref: "#/x" }, { const: 3 }, { enum: ["x"] }, { type: 7 }, { oneOf: "no" }, { type: "date" }]));
  else if (kind !== "any") s.type = kind;
  if (kind === "array" && chance(0.8)) s.items = schema(depth - 1);
  if (kind === "object" && chance(0.9)) {
    s.properties = {};
    for (const key of some(() => pick(["a", "b", "city", "unit", "Größe", "x-y"]), 0, 4)) s.properties[key] = schema(depth - 1);
    if (chance(0.6)) s.required = some(() => pick(["a", "b", "city", "gone"]), 0, 3);
  }
  if (chance(0.4)) s.description = chance(0.3) ? "one\ntwo" : text(4);
  if (chance(0.2)) s.title = text(2);
  if (chance(0.2)) s.nullable = chance(0.8);
  if (chance(0.3)) s.default = pick(["a", "q\"q", "", 1, -2.5, 1e21, 0.00001, 1e-7, true, false, null, [1, "x"], { k: { l: 2 } }, 123456789012]);
  if (chance(0.2)) s.examples = some(() => pick(["ex", "q\"q", 5, null]), 0, 3);
  if (chance(0.1)) s.pattern = "^x$";
  return s;
}

const tool = () => ({ name: name(), description: text(5), parameters: chance(0.2) ? null : chance(0.1) ? {} : schema(3) });
const namespace = (ns) => ({ name: ns, description: chance(0.4) ? pick(["", "line", "one\ntwo", "one\r\ntwo\r\n", "\n\nlate"]) : null, tools: some(tool, 0, 3) });
const namespaces = (names) => (chance(0.3) ? null : Object.fromEntries(some(() => pick(names), 0, 3).map((ns) => [ns, namespace(ns)])));

const system = () => ({
  type: "system_content",
  model_identity: chance(0.8) ? pick(["You are ChatGPT, a large language model trained by OpenAI.", text(4)]) : null,
  reasoning_effort: pick(["Low", "Medium", "High", null]),
  tools: namespaces(["browser", "python", "zeta", "alpha", "ällä"]),
  conversation_start_date: chance(0.5) ? "2026-11-23" : null,
  knowledge_cutoff: chance(0.7) ? "2024-06" : null,
  channel_config: chance(0.7) ? { valid_channels: some(() => pick(["analysis", "commentary", "final", "other"]), 0, 3), channel_required: chance(0.5) } : null,
});
const developer = () => ({ type: "developer_content", instructions: chance(0.8) ? text(8) : null, tools: namespaces(["functions", "functions", "aux", "Zeta"]) });

function message() {
  const role = pick(["system", "developer", "user", "user", "assistant", "assistant", "assistant", "tool"]);
  const m = { role, content: some(() => ({ type: "text", text: text() }), 1, chance(0.2) ? 3 : 1) };
  if (role === "system" && chance(0.8)) m.content = [system()];
  if (role === "developer" && chance(0.8)) m.content = [developer()];
  if (role === "tool" ? chance(0.95) : chance(0.1)) m.name = pick(["functions.f", "python", "browser.open"]);
  if (role === "assistant" || role === "tool") {
    if (chance(0.8)) m.channel = pick(["analysis", "commentary", "final", "final"]);
    if (chance(0.3)) m.recipient = role === "tool" ? "assistant" : pick(["functions.f", "python", "all", "browser.search"]);
    if (chance(0.2)) m.content_type = pick(["json", "code", "<|constrain|>json", "<|constrain|> json", "<|constrain|>"]);
  }
  if (chance(0.02)) m.content.push(system());
  return m;
}
const conversation = () => ({ messages: some(message, 0, 6) });

const START = 200006, CHANNEL = 200005, MESSAGE = 200008, CONSTRAIN = 200003, END = 200007, CALL = 200012, RETURN = 200002;
const ordinary = (t) => Array.from(encoding.encode(t, []));
function completion(role) {
  const out = [];
  const many = 1 + below(4);
  for (let i = 0; i < many; i++) {
    if (i > 0 || role === null) out.push(START, ...ordinary(pick(["assistant", "assistant", "assistant", "functions.f to=assistant", "user", "tool"])));
    const call = chance(0.3);
    const early = chance(0.5);
    if (call && early) out.push(...ordinary(" to=functions.f"));
    if (chance(0.9)) out.push(CHANNEL, ...ordinary(pick(["analysis", "commentary", "final"])));
    if (call && !early) out.push(...ordinary(pick([" to=functions.get_weather", " to=python"])));
    if (chance(0.2)) out.push(...ordinary(" "), CONSTRAIN, ...ordinary("json"));
    else if (chance(0.1)) out.push(...ordinary(" code"));
    out.push(MESSAGE, ...ordinary(text()), call ? CALL : i + 1 < many ? END : RETURN);
  }
  for (let n = below(3); n > 0 && chance(0.5); n--) {
    const at = below(out.length);
    const kind = below(4);
    if (kind === 0) out.splice(at, 1);
    else if (kind === 1) out.splice(at, 0, out[at]);
    else if (kind === 2) out.splice(at, 0, pick([START, CHANNEL, MESSAGE, CONSTRAIN, END, CALL, RETURN, ...ordinary(pick(WORDS))]));
    else out.length = at;
  }
  return out;
}

// What a token does to the state, as the protocol's "stream" shows it.
function stream(tokens, role) {
  const parser = new JsStreamableParser(encoding, role);
  const steps = tokens.map((token) => {
    parser.process(token);
    const step = { state: JSON.parse(parser.state).state, role: parser.currentRole, recipient: parser.currentRecipient, channel: parser.currentChannel, content_type: parser.currentContentType, delta: parser.lastContentDelta };
    for (const key of Object.keys(step)) if (step[key] === "") delete step[key];
    return { ...step, content: parser.currentContent };
  });
  // What the end of the tokens means there, which these bindings cannot say.
  if (JSON.parse(parser.state).state === "Header") throw new Error("unfinished header");
  return steps;
}

function emit(request, ask) {
  try {
    console.log(JSON.stringify({ ...request, expect: ask() }));
  } catch {
    console.log(JSON.stringify({ ...request, error: true }));
  }
}

for (let i = 0; i < 150; i++) {
  const c = conversation();
  const config = { auto_drop_analysis: chance(0.7) };
  emit({ op: "render", conversation: c, ...config }, () => Array.from(encoding.renderConversation(c, config)));
  const d = conversation();
  const role = pick(["assistant", "assistant", "user", "system", "developer", "tool"]);
  emit({ op: "render_for_completion", conversation: d, role, ...config }, () => Array.from(encoding.renderConversationForCompletion(d, role, config)));
  const m = message();
  const options = { conversation_has_function_tools: chance(0.5) };
  emit({ op: "render_message", message: m, ...options }, () => Array.from(encoding.render(m, options)));
  const given = chance(0.7) ? "assistant" : null;
  const tokens = completion(given);
  emit({ op: "parse", tokens, role: given }, () => JSON.parse(encoding.parseMessagesFromCompletionTokens(Uint32Array.from(tokens), given)));
  const open = completion("assistant");
  emit({ op: "stream", tokens: open, role: "assistant" }, () => stream(open, "assistant"));
  const t = text(40);
  emit({ op: "encode", text: t }, () => ordinary(t));
  const broken = completion(null).filter(() => chance(0.97));
  emit({ op: "decode", tokens: broken }, () => encoding.decodeUtf8(Uint32Array.from(broken)));
}
