// The page as a whole.
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { IconButton } from "./buttons.js";
import { Dialogs } from "./dialogs.js";
import { titleOf } from "./conversation.js";
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { Close, Down, Help, Mark, Menu, Moon, Settings, Sun, System, Thought, Warning } from "./icons.js";
import { onKey, toggleSidebar } from "./keys.js";
import { Turn } from "./message.js";
import { Sidebar } from "./sidebar.js";
import { Welcome } from "./welcome.js";

function App({ chat, state }) {
    const { current, settings } = state;
    useEffect(() => {
        const listener = (event) => onKey(event, chat);
        addEventListener("keydown", listener);
        return () => removeEventListener("keydown", listener);
    }, []);
    useEffect(() => {
        document.title = current.turns.length > 0 ? `${titleOf(current)} · Ossicle` : "Ossicle";
    }, [current.title, current.turns.length > 0]);
    return html`
        <a class="skip" href="#question" onClick=${skip}>Skip to the question</a>
        <div class="page" data-sidebar=${settings.sidebar} data-drawer=${state.drawer}>
            <${Header} chat=${chat} state=${state} />
            <${Sidebar} chat=${chat} state=${state} />
            ${state.drawer && html`<div class="veil" onClick=${() => chat.set({ drawer: false })}></div>`}
            <main>
                <${ServerNote} state=${state} />
                <${Transcript} chat=${chat} state=${state} />
                <${Composer} chat=${chat} state=${state} />
            </main>
        </div>
        <${Toast} chat=${chat} toast=${state.toast} />
        <${Dialogs} chat=${chat} state=${state} />
        <div class="off-screen" role="status" aria-live="polite">${state.announcement}</div>
    `;
}

function skip(event) {
    event.preventDefault(); // the address names the conversation
    document.getElementById("question").focus();
}

const THEMES = { system: ["light", System], light: ["dark", Sun], dark: ["system", Moon] };

function Header({ chat, state }) {
    const { settings, current } = state;
    const [next, icon] = THEMES[settings.theme] ?? THEMES.system;
    const listed = settings.sidebar || state.drawer;
    return html`<header class="top">
        <${IconButton}
            icon=${Menu}
            label="Conversations"
            aria-expanded=${listed}
            aria-controls="sidebar"
            onClick=${() => toggleSidebar(chat)}
        />
        <span class="brand"><${Mark} /> Ossicle</span>
        <${ModelPicker} chat=${chat} models=${state.models} model=${current.model} />
        <span class="space"></span>
        <${IconButton}
            icon=${Thought}
            label="Show what the model thinks"
            aria-pressed=${settings.reasoning}
            onClick=${() => chat.setSettings({ reasoning: !settings.reasoning })}
        />
        <${IconButton} icon=${icon} label=${`Appearance: ${settings.theme}`} onClick=${() => chat.setSettings({ theme: next })} />
        <${IconButton} icon=${Settings} label="Settings" onClick=${() => chat.set({ dialog: "settings" })} />
        <${IconButton} icon=${Help} label="Keys (?)" class="icon-button help" onClick=${() => chat.set({ dialog: "shortcuts" })} />
    </header>`;
}

function ModelPicker({ chat, models, model }) {
    if (models.length === 0) {
        return null;
    }
    const known = model === null || models.some((one) => one.id === model);
    return html`<select
        class="model"
        aria-label="Model"
        value=${model ?? models[0].id}
        onChange=${(event) => chat.configure({ model: event.target.value })}
    >
        ${!known && html`<option value=${model}>${model} (not here)</option>`}
        ${models.map((one) => html`<option value=${one.id}>${one.id}</option>`)}
    </select>`;
}

/** How the server is, where it is not well. */
function ServerNote({ state }) {
    const { status } = state.server;
    if (status === "ok") {
        return null;
    }
    const text =
        status === "down"
            ? "The server does not answer. What you have here is safe; the page goes on trying."
            : status === "loading"
              ? "The server is loading its model. What you ask now is answered after that."
              : `The server says: ${status}`;
    return html`<p class="server-note" role="alert"><${Warning} /> ${text}</p>`;
}

/** Stays at the end while an answer grows, unless the user looks at something else. */
function Transcript({ chat, state }) {
    const { current, running, settings } = state;
    const box = useRef(null);
    const [atEnd, setAtEnd] = useState(true);
    useLayoutEffect(() => {
        if (atEnd && current.turns.length > 0) {
            box.current.scrollTop = box.current.scrollHeight;
        }
    });
    useLayoutEffect(() => {
        setAtEnd(true);
        box.current.scrollTop = current.turns.length > 0 ? box.current.scrollHeight : 0;
    }, [current.id, current.turns.length]);
    const onScroll = () => {
        const { scrollTop, scrollHeight, clientHeight } = box.current;
        setAtEnd(scrollHeight - scrollTop - clientHeight < 40);
    };
    const busy = running.has(current.id);
    return html`<div class="transcript" ref=${box} onScroll=${onScroll} tabindex="0" role="region" aria-label="Conversation">
        ${
            current.turns.length === 0
                ? html`<${Welcome} chat=${chat} state=${state} />`
                : html`<h1 class="off-screen">${titleOf(current)}</h1>`
        }
        ${current.turns.map(
            (turn, i) => html`<${Turn}
                key=${turn.id}
                turn=${turn}
                chat=${chat}
                place=${i}
                reasoning=${settings.reasoning}
                running=${busy}
            />`,
        )}
        ${!atEnd && current.turns.length > 0 && html`<${IconButton} icon=${Down} label="To the end" class="icon-button to-end" onClick=${() => setAtEnd(true)} />`}
    </div>`;
}

function Toast({ chat, toast }) {
    return html`<div class="toast-place" role="status">
        ${
            toast &&
            html`<div class="toast">
            <span>${toast.text}</span>
            ${
                toast.action &&
                html`<button
                type="button"
                class="link"
                onClick=${() => {
                    chat.dismissToast();
                    toast.action();
                }}
            >
                ${toast.label}
            </button>`
            }
            <${IconButton} icon=${Close} label="Dismiss" onClick=${() => chat.dismissToast()} />
        </div>`
        }
    </div>`;
}

const root = document.getElementById("app");
const draw = (chat) => render(html`<${App} chat=${chat} state=${chat.state} />`, root);
const chat = new Chat(draw);
root.replaceChildren(); // what stood there while the page was loading
draw(chat);
chat.start();
