import { html, useState } from "./html.js";

/** What a browser lays out in an instant. */
const AT_FIRST = 20_000;

/** A text as it is; of a very long one the beginning, until more is wanted. */
export function Plain({ text }) {
    const [all, setAll] = useState(false);
    if (all || text.length <= AT_FIRST) {
        return text;
    }
    return html`${text.slice(0, AT_FIRST)}…${" "}
        <button type="button" class="link" onClick=${() => setAll(true)}>
            ${(text.length - AT_FIRST).toLocaleString("en")} more characters
        </button>`;
}
