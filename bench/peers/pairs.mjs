// Runs Ossicle and llama.cpp on the same file in turns and prints the ratios of their speeds with their spread:
// node pairs.mjs MODEL.gguf [--pairs 5] [--threads 2] [--prefill 512] [--decode 32] [--precision fast]
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        pairs: { type: "string", default: "5" },
        threads: { type: "string", default: "2" },
        prefill: { type: "string", default: "512" },
        decode: { type: "string", default: "32" },
        precision: { type: "string", default: "fast" },
    },
});
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = (command, args) => {
    readOnce();
    const lines = execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim().split("\n");
    return JSON.parse(lines.at(-1));
};
// Both load from the page cache, whatever the one before has left of the file there.
const readOnce = () => {
    const file = openSync(positionals[0]);
    const buffer = Buffer.allocUnsafe(1 << 24);
    while (readSync(file, buffer) > 0);
    closeSync(file);
};
const ossicle = () =>
    run(here("../../ossicle"), ["bench", positionals[0], "--json", "--bandwidth", "--threads", values.threads, "--prefill", values.prefill,
        "--decode", values.decode, "--precision", values.precision]);
const llama = () =>
    run(process.execPath, [here("llama.mjs"), positionals[0], values.threads, values.prefill, values.decode]);

const median = (numbers) => {
    const sorted = numbers.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const measures = { prefill: (r) => r.prefill[0]?.tokens_per_second, decode: (r) => r.decode[0]?.tokens_per_second };

const pairs = [];
for (let i = 0; i < Number(values.pairs); i++) {
    // Who begins changes, so that a machine that slows down favours nobody.
    const pair = i % 2 === 0 ? { ours: ossicle(), theirs: llama() } : { theirs: llama(), ours: ossicle() };
    pairs.push(pair);
    for (const [name, of] of Object.entries(measures)) {
        console.log(`pair ${i + 1} ${name}: ${of(pair.ours)?.toFixed(2)} and ${of(pair.theirs)?.toFixed(2)} tokens/s`);
    }
}
for (const [name, of] of Object.entries(measures)) {
    if (of(pairs[0].ours) === undefined) {
        continue;
    }
    const ratios = pairs.map(({ ours, theirs }) => of(ours) / of(theirs));
    console.log(
        `${name}: ${median(ratios).toFixed(2)} x llama.cpp (median of ${ratios.length} pairs; ${Math.min(...ratios).toFixed(2)}` +
            ` to ${Math.max(...ratios).toFixed(2)}); ${median(pairs.map((p) => of(p.ours))).toFixed(2)} and` +
            ` ${median(pairs.map((p) => of(p.theirs))).toFixed(2)} tokens/s`,
    );
}
const shares = pairs.map(({ ours }) => (ours.decode[0]?.tokens_per_second * ours.bytes_per_token) / ours.read_bytes_per_second);
console.log(`decode reads ${median(pairs.map(({ ours }) => (ours.decode[0]?.tokens_per_second * ours.bytes_per_token) / 1e9)).toFixed(1)} GB/s of weights,` +
    ` ${(100 * median(shares)).toFixed(0)} % of what plain reading reaches in the same process (${(100 * Math.min(...shares)).toFixed(0)} to ${(100 * Math.max(...shares)).toFixed(0)} %)`);
console.log(`load: ${median(pairs.map((p) => p.ours.load_seconds)).toFixed(2)} and ${median(pairs.map((p) => p.theirs.load_seconds)).toFixed(2)} s`);
console.log(`peak resident: ${(median(pairs.map((p) => p.ours.resident_bytes)) / 1e9).toFixed(2)} and ${(median(pairs.map((p) => p.theirs.resident_bytes)) / 1e9).toFixed(2)} GB`);
