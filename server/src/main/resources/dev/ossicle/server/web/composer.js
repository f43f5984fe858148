// Where the user writes, and what is set there: effort and tools.
import { EFFORTS, contextUsed, toolId } from "./conversation.js";
import { IconButton } from "./buttons.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Close, Python, Search, Send, Stop, Tool } from "./icons.js";
import { drafts } from "./settings.js";

export function Composer({ chat, state }) {
    const { current, running } = state;
    const field = useRef(null);
    const [text, setText] = useState(drafts.get(current.id));
    const busy = running.has(current.id);
    const schemaError = problem(current.schema);

    useEffect(() => {
        setText(drafts.get(current.id));
        if (!matchMedia("(hover: none)").matches) {
            // where that would bring a keyboard up
            field.current.focus({ preventScroll: true });
        }
    }, [current.id]);
    useLayoutEffect(() => {
        field.current.style.height = "auto"; // as high as what is written
        field.current.style.height = `${field.current.scrollHeight}px`;
    }, [text]);

    const write = (value) => {
        setText(value);
        drafts.set(current.id, value);
    };
    const send = () => {
        if (text.trim() !== "" && !busy && schemaError === null) {
            setText("");
            chat.ask(text.trim());
        }
    };
    const onKeyDown = (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
        }
    };
    return html`<form
        class="composer"
        aria-label="Ask"
        onSubmit=${(event) => {
            event.preventDefault();
            send();
        }}
    >
        <div class="field">
            <textarea
                ref=${field}
                id="question"
                rows="1"
                aria-label="Your question"
                placeholder="Ask something"
                value=${text}
                onInput=${(event) => write(event.target.value)}
                onKeyDown=${onKeyDown}
            ></textarea>
            ${
                busy
                    ? html`<${IconButton} class="icon-button send" icon=${Stop} label="Stop (Esc)" onClick=${() => chat.stop()} />`
                    : html`<${IconButton} class="icon-button send" icon=${Send} label="Send (Enter)" type="submit" disabled=${text.trim() === ""} />`
            }
        </div>
        <div class="options">
            <${Effort} chat=${chat} effort=${current.effort} />
            ${state.tools.map((tool) => html`<${ToolSwitch} chat=${chat} conversation=${current} tool=${tool} />`)}
            ${
                current.instructions.trim() &&
                html`<${Chip} label="Instructions" remove=${() => chat.configure({ instructions: "" })} chat=${chat} />`
            }
            ${
                current.schema.trim() &&
                html`<${Chip}
                label=${schemaError === null ? "JSON Schema" : "JSON Schema is wrong"}
                remove=${() => chat.configure({ schema: "" })}
                chat=${chat}
            />`
            }
            <${Meter} conversation=${current} models=${state.models} />
        </div>
    </form>`;
}

function Effort({ chat, effort }) {
    return html`<fieldset class="segments" title="How long the model thinks">
        <legend class="off-screen">Reasoning effort</legend>
        ${EFFORTS.map(
            (one) => html`<label>
                <input
                    type="radio"
                    name="effort"
                    value=${one}
                    checked=${one === effort}
                    onChange=${() => chat.configure({ effort: one })}
                />
                <span>${one}</span>
            </label>`,
        )}
    </fieldset>`;
}

const TOOLS = new Map([
    ["code_interpreter", ["Python", Python]],
    ["web_search", ["Web", Search]],
]);

function ToolSwitch({ chat, conversation, tool }) {
    const id = toolId(tool);
    const [label, Icon] = TOOLS.get(id) ?? [id.replace(/^mcp:/, "").replaceAll("_", " "), Tool];
    const on = conversation.tools.includes(id);
    const tools = on ? conversation.tools.filter((one) => one !== id) : [...conversation.tools, id];
    return html`<button
        type="button"
        class="chip switch"
        aria-pressed=${on}
        title=${`Let the model use ${label}`}
        onClick=${() => chat.configure({ tools })}
    >
        <${Icon} />${label}
    </button>`;
}

/** Something that is set and easily forgotten. */
function Chip({ label, remove, chat }) {
    return html`<span class="chip">
        <button type="button" title="Change" onClick=${() => chat.set({ dialog: "settings" })}>${label}</button>
        <${IconButton} icon=${Close} label=${`Without ${label}`} onClick=${remove} />
    </span>`;
}

/** How much of the model's context the conversation takes. */
function Meter({ conversation, models }) {
    const used = contextUsed(conversation);
    const model = models.find((one) => one.id === conversation.model) ?? models[0];
    if (used === null || !model?.max_model_len) {
        return null;
    }
    const share = Math.min(1, used / model.max_model_len);
    const percent = share < 0.01 ? "under 1" : Math.round(share * 100);
    const words = `${used.toLocaleString("en")} of ${model.max_model_len.toLocaleString("en")} tokens of context`;
    return html`<span class=${share > 0.8 ? "context full" : "context"} title=${words}>
        <meter min="0" max="1" high="0.8" optimum="0" value=${share} aria-label=${words}></meter>
        <span aria-hidden="true">${percent} %</span>
    </span>`;
}

/** What is wrong with a JSON Schema; null if nothing is, or there is none. */
export function problem(schema) {
    if (schema.trim() === "") {
        return null;
    }
    try {
        const value = JSON.parse(schema);
        return value !== null && typeof value === "object" && !Array.isArray(value)
            ? null
            : "A schema is a JSON object.";
    } catch (e) {
        return e.message;
    }
}
