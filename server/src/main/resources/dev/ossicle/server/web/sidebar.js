// The conversations that this browser keeps.
import { exported, matches, titleOf } from "./conversation.js";
import { IconButton, download } from "./buttons.js";
import { html, memo, useEffect, useRef, useState } from "./html.js";
import { Bin, Edit, Mark, Plus } from "./icons.js";

export function Sidebar({ chat, state }) {
    const [words, setWords] = useState("");
    const found = state.conversations.filter((one) => matches(one, words));
    return html`<nav class="sidebar" id="sidebar" aria-label="Conversations">
        <button type="button" class="button primary new" onClick=${() => chat.startNew()}><${Plus} /> New conversation</button>
        ${
            state.conversations.length > 4 &&
            html`<input
            type="search"
            aria-label="Find a conversation"
            placeholder="Find"
            value=${words}
            onInput=${(event) => setWords(event.target.value)}
        />`
        }
        <ul>
            ${found.map(
                (one) => html`<${Entry}
                    key=${one.id}
                    chat=${chat}
                    id=${one.id}
                    title=${titleOf(one)}
                    current=${one.id === state.current.id}
                    running=${state.running.has(one.id)}
                />`,
            )}
        </ul>
        ${found.length === 0 && html`<p class="note">${words ? "Nothing found." : "What you ask is kept here, in this browser alone."}</p>`}
        ${
            state.storageError &&
            html`<p class="note error">This browser keeps nothing for this page (${state.storageError}): export what you need.</p>`
        }
        <${Keeping} chat=${chat} state=${state} />
    </nav>`;
}

const Entry = memo(
    ({ chat, id, title, current, running }) => {
        const [name, setName] = useState(null);
        const field = useRef(null);
        useEffect(() => field.current?.select(), [name !== null]);
        if (name !== null) {
            const end = (keep) => {
                if (keep && name.trim() !== "") {
                    chat.rename(id, name);
                }
                setName(null);
            };
            return html`<li>
            <input
                ref=${field}
                aria-label="Name of the conversation"
                value=${name}
                maxlength="200"
                onInput=${(event) => setName(event.target.value)}
                onBlur=${() => end(true)}
                onKeyDown=${(event) => {
                    if (event.key === "Enter" || event.key === "Escape") {
                        event.stopPropagation();
                        end(event.key === "Enter");
                    }
                }}
            />
        </li>`;
        }
        return html`<li class=${current ? "current" : ""}>
        <a href=${`#${id}`} aria-current=${current ? "page" : undefined} title=${title} onClick=${() => chat.set({ drawer: false })}>
            ${running && html`<${Mark} live=${true} />`}${title}
        </a>
        <${IconButton} icon=${Edit} label=${`Rename “${title}”`} onClick=${() => setName(title)} />
        <${IconButton} icon=${Bin} label=${`Delete “${title}”`} onClick=${() => chat.remove([id])} />
    </li>`;
    },
    ["id", "title", "current", "running"],
);

function Keeping({ chat, state }) {
    const file = useRef(null);
    const save = (list, name) => download(`${name}.json`, new Blob([exported(list)], { type: "application/json" }));
    const { current, conversations } = state;
    return html`<div class="keeping">
        <button type="button" class="link" disabled=${current.turns.length === 0} onClick=${() => save([current], "conversation")}>
            Export this
        </button>
        <button type="button" class="link" disabled=${conversations.length === 0} onClick=${() => save(conversations, "conversations")}>
            Export all
        </button>
        <button type="button" class="link" onClick=${() => file.current.click()}>Import</button>
        <input
            ref=${file}
            type="file"
            accept="application/json,.json"
            aria-label="File to import"
            tabindex="-1"
            class="off-screen"
            onChange=${(event) => {
                const [chosen] = event.target.files;
                if (chosen) {
                    chat.importFile(chosen);
                }
                event.target.value = "";
            }}
        />
    </div>`;
}
