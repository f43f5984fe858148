// npm `@openai/agents`, unmodified, over both of its APIs, streamed and not.
import assert from "node:assert/strict";
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "@openai/agents";
import { z } from "zod";

setTracingDisabled(true);
const weather = tool({
  name: "get_weather",
  description: "The weather.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
for (const useResponses of [true, false]) {
  const modelProvider = new OpenAIProvider({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", useResponses });
  const runner = new Runner({ modelProvider });
  const agent = new Agent({ name: "Clerk", instructions: "Be brief.", model: "gpt-oss-20b", tools: [weather] });
  const result = await runner.run(agent, 'call get_weather with {"city": "Rome"}');
  assert.equal(result.finalOutput, "It says: sunny in Rome");
  const streamed = await runner.run(agent, 'call get_weather with {"city": "Oslo"}', { stream: true });
  let text = "";
  for await (const chunk of streamed.toTextStream()) text += chunk;
  await streamed.completed;
  assert.equal(streamed.finalOutput, "It says: sunny in Oslo");
  assert.equal(text, "It says: sunny in Oslo");

  // A typed answer
  const typed = new Agent({ name: "Typist", model: "gpt-oss-20b", outputType: z.object({ city: z.string() }) });
  const answer = await runner.run(typed, 'say exactly {"city": "Rome"}');
  assert.deepEqual(answer.finalOutput, { city: "Rome" });
}
console.log("agents ok");
