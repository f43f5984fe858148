// Measures llama.cpp on the CPU: node llama.mjs MODEL.gguf THREADS PREFILL DECODE
// Prints what `ossicle bench --json` prints, from random tokens, after a warm-up that is not counted.
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { readFileSync } from "node:fs";

const [modelPath, threads, prefill, decode] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const WARM_UP = 512;

const start = performance.now();
const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const context = await model.createContext({ contextSize: Math.max(WARM_UP, prefill) + decode + 128, batchSize: 512, threads });
const loadSeconds = (performance.now() - start) / 1000;
const sequence = context.getSequence();

let state = 1;
const randomTokens = (count) =>
    Array.from({ length: count }, () => (state = (state * 48271) % 2147483647) % 199000);

/** Seconds of decoding so many tokens after what is cached. */
async function decodeSeconds(count) {
    let from = 0;
    let left = count + 1; // the first one is not counted
    for await (const token of sequence.evaluate(randomTokens(1), { yieldEogToken: true, temperature: 0.8 })) {
        if (left-- === count + 1) {
            from = performance.now();
        }
        if (left === 0) {
            break;
        }
    }
    return (performance.now() - from) / 1000;
}

async function prefillSeconds(count) {
    const tokens = randomTokens(count);
    const from = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(tokens);
    return (performance.now() - from) / 1000;
}

await prefillSeconds(WARM_UP);
await decodeSeconds(32);
await sequence.clearHistory();
const result = { model: modelPath, threads, load_seconds: loadSeconds, resident_bytes: 0, prefill: [], decode: [] };
if (prefill > 0) {
    result.prefill.push({ tokens: prefill, tokens_per_second: prefill / (await prefillSeconds(prefill)) });
    await sequence.clearHistory();
}
if (decode > 0) {
    result.decode.push({ depth: 0, tokens: decode, tokens_per_second: decode / (await decodeSeconds(decode)) });
}
result.resident_bytes = 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0);
console.log(JSON.stringify(result));
process.exit(0);
