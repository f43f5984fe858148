// npm `ollama`, unmodified.
import assert from "node:assert/strict";
import { Ollama } from "ollama";

const ollama = new Ollama({ host: process.argv[2] });
const model = "gpt-oss:20b";
const messages = [{ role: "user", content: "Hello" }];

const chat = await ollama.chat({ model, messages, think: "low" });
assert.equal(chat.message.content, "You said: Hello");
assert.equal(chat.message.thinking, "I know.");
assert.equal(chat.done_reason, "stop");
assert.ok(chat.eval_count > 0 && chat.total_duration > 0);

let text = "";
let thinking = "";
let last;
for await (const part of await ollama.chat({ model, messages, stream: true })) {
  text += part.message.content;
  thinking += part.message.thinking ?? "";
  last = part;
}
assert.equal(text, "You said: Hello");
assert.equal(thinking, "I know.");
assert.ok(last.done);

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const asked = [{ role: "user", content: 'call get_weather with {"city": "Rome"}' }];
const called = await ollama.chat({ model, messages: asked, tools });
assert.deepEqual(called.message.tool_calls[0].function.arguments, { city: "Rome" });
const answered = await ollama.chat({
  model,
  tools,
  messages: [...asked, called.message, { role: "tool", tool_name: "get_weather", content: "sunny" }],
});
assert.equal(answered.message.content, "It says: sunny");

const json = await ollama.chat({
  model,
  messages: [{ role: "user", content: 'say exactly {"city": "Rome"}' }],
  format: tools[0].function.parameters,
});
assert.deepEqual(JSON.parse(json.message.content), { city: "Rome" });

const generated = await ollama.generate({ model, prompt: "Hello", system: "Be brief." });
assert.equal(generated.response, "You said: Hello");
assert.equal((await ollama.list()).models[0].name, "gpt-oss-20b:latest");
assert.ok((await ollama.show({ model })).capabilities.includes("tools"));
assert.equal((await ollama.ps()).models.length, 1);
assert.match((await ollama.version()).version, /^\d+\.\d+\.\d+$/);
assert.equal((await ollama.pull({ model })).status, "success");
await assert.rejects(ollama.chat({ model: "llama9", messages }), /not installed/);

const long = await ollama.chat({
  model,
  stream: true,
  messages: [{ role: "user", content: `say exactly ${"x".repeat(20000)}` }],
});
await assert.rejects(async () => {
  for await (const part of long) long.abort(); // at the first part, with thousands to come
}, { name: "AbortError" });
console.log("ollama ok");
