// What is asked for or shown in front of the page.
import { SAMPLING } from "./conversation.js";
import { IconButton } from "./buttons.js";
import { problem } from "./composer.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Close } from "./icons.js";
import { SHORTCUTS } from "./keys.js";
import { key } from "./settings.js";

export function Dialogs({ chat, state }) {
    switch (state.dialog) {
        case "settings":
            return html`<${SettingsDialog} chat=${chat} state=${state} />`;
        case "shortcuts":
            return html`<${ShortcutsDialog} chat=${chat} />`;
        case "key":
            return html`<${KeyDialog} chat=${chat} state=${state} />`;
        default:
            return null;
    }
}

/** A modal dialog of the browser's own, which keeps the focus and gives it back. */
function Dialog({ title, name, close, children }) {
    const dialog = useRef(null);
    useEffect(() => {
        dialog.current.showModal();
    }, []);
    const onClick = (event) => {
        if (event.target === dialog.current) {
            dialog.current.close(); // beside it
        }
    };
    return html`<dialog ref=${dialog} class=${name} aria-labelledby="dialog-title" onClose=${close} onClick=${onClick}>
        <div class="frame">
            <header>
                <h2 id="dialog-title">${title}</h2>
                <${IconButton} icon=${Close} label="Close" onClick=${() => dialog.current.close()} />
            </header>
            ${children}
        </div>
    </dialog>`;
}

function SettingsDialog({ chat, state }) {
    const { current, settings } = state;
    const wrong = problem(current.schema);
    const text = (name) => ({
        value: current[name],
        onInput: (event) => chat.configure({ [name]: event.target.value }),
    });
    return html`<${Dialog} title="Settings" name="settings" close=${() => chat.set({ dialog: null })}>
        <section>
            <h3>This conversation, and new ones</h3>
            <label class="wide">
                <span>Instructions to the model</span>
                <textarea rows="3" placeholder="Answer in French. Be brief." ...${text("instructions")}></textarea>
            </label>
            <div class="numbers">
                ${Object.entries(SAMPLING).map(
                    ([name, bounds]) =>
                        html`<${NumberField} chat=${chat} name=${name} bounds=${bounds} sampling=${current.sampling} />`,
                )}
            </div>
        </section>
        <section>
            <h3>This conversation alone</h3>
            <label class="wide">
                <span>JSON Schema that answers obey</span>
                <textarea
                    rows="5"
                    class="source"
                    spellcheck=${false}
                    placeholder='{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
                    aria-invalid=${wrong !== null}
                    aria-describedby="schema-problem"
                    ...${text("schema")}
                ></textarea>
            </label>
            <p id="schema-problem" class="note error" role="status">${wrong}</p>
        </section>
        <section>
            <h3>The page</h3>
            <label>
                <span>Appearance</span>
                <select value=${settings.theme} onChange=${(event) => chat.setSettings({ theme: event.target.value })}>
                    <option value="system">as the system</option>
                    <option value="light">light</option>
                    <option value="dark">dark</option>
                </select>
            </label>
            <${Check} label="Show what the model thinks" on=${settings.reasoning} change=${(on) => chat.setSettings({ reasoning: on })} />
            <${Check} label="Shortcuts of a single key" on=${settings.shortcuts} change=${(on) => chat.setSettings({ shortcuts: on })} />
            ${key.get() && html`<button type="button" class="button" onClick=${() => chat.forgetKey()}>Forget the key</button>`}
            <button
                type="button"
                class="button danger"
                disabled=${state.conversations.length === 0}
                onClick=${() => chat.remove(state.conversations.map((one) => one.id))}
            >
                Delete all conversations
            </button>
        </section>
    <//>`;
}

function Check({ label, on, change }) {
    return html`<label class="check">
        <input type="checkbox" checked=${on} onChange=${(event) => change(event.target.checked)} />
        <span>${label}</span>
    </label>`;
}

function NumberField({ chat, name, bounds, sampling }) {
    const { label, ...limits } = bounds;
    const [text, setText] = useState(sampling[name] ?? "");
    const onInput = (event) => {
        setText(event.target.value);
        if (event.target.checkValidity()) {
            const { [name]: ignored, ...others } = sampling;
            const value = event.target.value;
            chat.configure({ sampling: value === "" ? others : { ...others, [name]: Number(value) } });
        }
    };
    return html`<label>
        <span>${label}</span>
        <input type="number" inputmode="decimal" value=${text} ...${limits} step=${limits.step === 1 ? 1 : "any"} onInput=${onInput} />
    </label>`;
}

function ShortcutsDialog({ chat }) {
    return html`<${Dialog} title="Keys" name="shortcuts" close=${() => chat.set({ dialog: null })}>
        <table>
            <thead class="off-screen">
                <tr>
                    <th>Key</th>
                    <th>What it does</th>
                </tr>
            </thead>
            <tbody>
                ${SHORTCUTS.map(
                    ([keys, what]) => html`<tr>
                        <td>${keys.map((one) => html`<kbd>${one}</kbd> `)}</td>
                        <td>${what}</td>
                    </tr>`,
                )}
            </tbody>
        </table>
        <p class="note">Single keys work while nothing is being written; Settings has a switch for them.</p>
    <//>`;
}

function KeyDialog({ chat, state }) {
    const [value, setValue] = useState("");
    const [remember, setRemember] = useState(false);
    const send = (event) => {
        event.preventDefault();
        if (value.trim() !== "") {
            chat.giveKey(value.trim(), remember);
        }
    };
    return html`<${Dialog} title="This server needs a key" name="key" close=${() => chat.set({ dialog: null })}>
        <form onSubmit=${send}>
            <p>It is one of those that the server was started with (<code>--api-key</code>).</p>
            <label class="wide">
                <span>Key</span>
                <input
                    type="password"
                    autocomplete="off"
                    autofocus
                    value=${value}
                    aria-invalid=${state.keyError !== null}
                    aria-describedby="key-problem"
                    onInput=${(event) => setValue(event.target.value)}
                />
            </label>
            <p id="key-problem" class="note error" role="alert">${state.keyError}</p>
            <${Check} label="Remember it on this computer" on=${remember} change=${setRemember} />
            <p class="note">Otherwise it is forgotten when this tab is closed.</p>
            <button type="submit" class="button primary">Go on</button>
        </form>
    <//>`;
}
