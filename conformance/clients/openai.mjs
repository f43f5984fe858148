// npm `openai`, unmodified: chat completions and Responses, streamed and not, tools, JSON, errors.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const model = "gpt-oss-20b";
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

// Chat completions
const chat = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] });
assert.equal(chat.choices[0].message.content, "You said: Hello");
assert.equal(chat.choices[0].message.reasoning, "I know.");

const runner = client.chat.completions.stream({
  model,
  messages: [{ role: "user", content: "Hello" }],
  stream_options: { include_usage: true },
});
let streamed = "";
for await (const chunk of runner) streamed += chunk.choices[0]?.delta?.content ?? "";
assert.equal(streamed, "You said: Hello");
assert.ok((await runner.totalUsage()).total_tokens > 0);

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather.",
      parameters,
      parse: JSON.parse,
      function: async ({ city }) => `sunny in ${city}`,
    },
  },
];
for (const stream of [false, true]) {
  const run = client.chat.completions.runTools({
    model,
    stream,
    messages: [{ role: "user", content: 'call get_weather with {"city": "Rome"}' }],
    tools,
  });
  assert.equal(await run.finalContent(), "It says: sunny in Rome");
}

const json = await client.chat.completions.parse({
  model,
  messages: [{ role: "user", content: 'say exactly {"city": "Rome"}' }],
  response_format: { type: "json_schema", json_schema: { name: "city", strict: true, schema: parameters } },
});
assert.deepEqual(JSON.parse(json.choices[0].message.content), { city: "Rome" });

// Responses
const response = await client.responses.create({ model, input: "Hello" });
assert.equal(response.output_text, "You said: Hello");
assert.equal(response.output[0].content[0].text, "I know.");
const next = await client.responses.create({ model, input: "More", previous_response_id: response.id });
assert.equal(next.output_text, "You said: More");

const events = client.responses.stream({ model, input: "Hello" });
let deltas = "";
let last = -1;
for await (const event of events) {
  assert.equal(event.sequence_number, ++last);
  if (event.type === "response.output_text.delta") deltas += event.delta;
}
assert.equal(deltas, "You said: Hello");
assert.equal((await events.finalResponse()).output_text, "You said: Hello");

const called = await client.responses.create({
  model,
  input: 'call get_weather with {"city": "Rome"}',
  tools: [{ type: "function", name: "get_weather", parameters, strict: true }],
});
const call = called.output.find((item) => item.type === "function_call");
assert.deepEqual(JSON.parse(call.arguments), { city: "Rome" });
// Stateless: all items go back.
const answered = await client.responses.create({
  model,
  store: false,
  input: [
    { role: "user", content: 'call get_weather with {"city": "Rome"}' },
    ...called.output,
    { type: "function_call_output", call_id: call.call_id, output: "sunny" },
  ],
});
assert.equal(answered.output_text, "It says: sunny");

// Errors are its own
await assert.rejects(client.chat.completions.create({ model: "gpt-5", messages: [] }), OpenAI.NotFoundError);
await assert.rejects(
  client.responses.create({ model, input: "x", temperature: 5 }),
  (e) => e instanceof OpenAI.BadRequestError && e.param === "temperature",
);
assert.equal((await client.models.list()).data[0].id, model);
assert.equal((await client.completions.create({ model, prompt: "x", max_tokens: 3 })).object, "text_completion");
console.log("openai ok");
