// Before anything was asked: what answers here, and something to begin with.
import { html } from "./html.js";
import { Mark } from "./icons.js";

/** The name of the demonstration model that Ossicle carries. */
const NANO = "nano";

const NANO_EXAMPLES = ["What is 2 + 3?", "What is the capital of Japan?", "Who are you?", "Take 4 away from 9."];
const EXAMPLES = [
    "Explain what the small bones of the ear do, in three sentences.",
    "Write a Java record for a bank transfer, with checks.",
    "Compare three ways to sort a list that is nearly sorted, in a table.",
    "I have flour, eggs and a lemon. What can I bake?",
];

export function Welcome({ chat, state }) {
    const model = state.current.model ?? state.models[0]?.id ?? null;
    const examples = (list) =>
        html`<ul class="examples" aria-label="Examples">
            ${list.map(
                (example) => html`<li>
                    <button type="button" onClick=${() => chat.ask(example)}>${example}</button>
                </li>`,
            )}
        </ul>`;
    return html`<div class="welcome">
        <${Mark} />
        ${
            model === null
                ? html`<h1>Ossicle</h1>`
                : model === NANO
                  ? html`<${Nano} examples=${examples(NANO_EXAMPLES)} />`
                  : html`<h1>What would you like to know?</h1>
                    <p><strong>${model}</strong> answers. It can be wrong: check what matters.</p>
                    ${examples(EXAMPLES)}`
        }
        <p class="note">
            Conversations are kept in this browser. The page talks to this server
            ${state.server.device ? ` (which computes on: ${state.server.device})` : ""} and to nobody else.
        </p>
    </div>`;
}

const Nano = ({ examples }) => html`
    <h1>This is nano. It is tiny, and often wrong.</h1>
    <p>
        nano is a demonstration: a model of gpt-oss’s architecture, thousands of times smaller, which comes with Ossicle to show that
        everything works. It knows small sums, some capitals and who it is, and little else.
    </p>
    ${examples}
    <p>For real answers get OpenAI’s open model (13 GB; the server’s machine needs 16 GB of memory), and start the server with it:</p>
    <pre tabindex="0"><code>ossicle pull gpt-oss-20b
ossicle serve gpt-oss-20b</code></pre>
`;
