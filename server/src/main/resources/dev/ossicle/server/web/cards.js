// What the model did on its way to the answer: a card for each call of a tool.
import { CodeBlock } from "./code.js";
import { html } from "./html.js";
import { Python, Search, Tool } from "./icons.js";
import { Link } from "./markdown.js";
import { Plain } from "./plain.js";
import { Elapsed, duration } from "./time.js";

export function ToolCard({ item, decide }) {
    switch (item.type) {
        case "code_interpreter_call":
            return html`<${PythonCall} item=${item} />`;
        case "web_search_call":
            return html`<${WebSearch} item=${item} />`;
        case "mcp_call":
            return html`<${Card} item=${item} icon=${Tool} name=${`${item.server_label ?? "MCP"}: ${item.name ?? ""}`}>
                <${Arguments} text=${item.arguments} />
                <${Output} text=${item.error ? plain(item.error) : item.output} failed=${Boolean(item.error)} />
            <//>`;
        case "mcp_list_tools":
            return html`<${Card} item=${item} icon=${Tool} name=${`Tools of ${item.server_label ?? "an MCP server"}`}>
                <ul class="names">
                    ${(Array.isArray(item.tools) ? item.tools : []).map((tool) => html`<li>${String(tool?.name)}</li>`)}
                </ul>
                <${Output} text=${item.error ? plain(item.error) : ""} failed=${true} />
            <//>`;
        case "mcp_approval_request":
            return html`<${Approval} item=${item} decide=${decide} />`;
        case "function_call":
        case "custom_tool_call":
            return html`<${Card} item=${item} icon=${Tool} name=${`Calls ${item.name ?? "a function"}`}>
                <${Arguments} text=${item.arguments ?? item.input} />
                <p class="note">This page has no functions: nobody answers the call.</p>
            <//>`;
        default:
            return html`<${Card} item=${item} icon=${Tool} name=${String(item.type)} />`;
    }
}

function Card({ item, icon: Icon, name, summary, children }) {
    const running = item.ms === null;
    const failed = item.status === "failed" || Boolean(item.error);
    return html`<details class=${`card ${failed ? "failed" : ""}`} open=${running}>
        <summary>
            <${Icon} />
            <span class="name">${name}</span>
            ${summary && html`<span class="summary">${summary}</span>`}
            <span class="state">
                ${running ? html`running<${Elapsed} since=${item.began} />` : failed ? "failed" : duration(item.ms)}
            </span>
        </summary>
        <div class="inside">${children}</div>
    </details>`;
}

/** The model wants to call a tool that the user is asked about first. */
function Approval({ item, decide }) {
    const what = `${item.server_label ?? "MCP"}: ${item.name ?? ""}`;
    if (item.decided !== undefined) {
        return html`<${Card} item=${item} icon=${Tool} name=${what} summary=${item.decided ? "allowed" : "declined"}>
            <${Arguments} text=${item.arguments} />
        <//>`;
    }
    return html`<div class="card approval" role="group" aria-label="Approval">
        <p><${Tool} /> <span>The model wants to call <strong>${what}</strong>.</span></p>
        <${Arguments} text=${item.arguments} />
        <div class="row">
            <button type="button" class="button primary" onClick=${() => decide(true)}>Allow</button>
            <button type="button" class="button" onClick=${() => decide(false)}>Decline</button>
        </div>
    </div>`;
}

function PythonCall({ item }) {
    const code = item.code ?? "";
    const outputs = Array.isArray(item.outputs) ? item.outputs : [];
    return html`<${Card} item=${item} icon=${Python} name="Python" summary=${code.trim().split("\n", 1)[0]}>
        <${CodeBlock} text=${code} language="python" live=${item.ms === null} />
        ${outputs.map((output) =>
            output?.type === "logs"
                ? html`<${Output} text=${output.logs} />`
                : html`<${Image} address=${output?.url} />`,
        )}
    <//>`;
}

const Image = ({ address }) =>
    typeof address === "string" && address.startsWith("data:image/")
        ? html`<img src=${address} alt="A picture, made by Python" />`
        : html`<${Link} href=${String(address)}>A picture<//>`;

const WORDS = { __proto__: null, search: "Searches for", open_page: "Opens", find_in_page: "Looks on the page for" };

function WebSearch({ item }) {
    const action = item.action ?? {};
    const what = action.query ?? action.pattern ?? action.url ?? "";
    const found = Array.isArray(action.sources) ? action.sources : [];
    const pages = [...found.map((source) => source?.url), ...(action.type === "search" ? [] : [action.url])];
    return html`<${Card} item=${item} icon=${Search} name=${WORDS[action.type] ?? "Searches"} summary=${plain(what)}>
        <ul class="pages">
            ${pages.filter(Boolean).map((url) => html`<li><${Link} href=${String(url)}>${String(url)}<//></li>`)}
        </ul>
    <//>`;
}

function Arguments({ text }) {
    let shown = text ?? "";
    try {
        shown = JSON.stringify(JSON.parse(shown), null, 2);
    } catch {
        // as the model wrote it
    }
    return shown === "" ? null : html`<${CodeBlock} text=${shown} language="json" />`;
}

function Output({ text, failed = false }) {
    const whole = plain(text);
    if (whole === "") {
        return null;
    }
    return html`<pre class=${failed ? "output failed" : "output"} tabindex="0" aria-label="Output"><${Plain} text=${whole} /></pre>`;
}

const plain = (value) => (value == null ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2));
