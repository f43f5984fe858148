import { html, useEffect, useState } from "./html.js";
import { Check, Copy } from "./icons.js";

/** A button that is an icon; its label is its name and its hint. */
export function IconButton({ icon: Icon, label, onClick, ...rest }) {
    return html`<button type="button" class="icon-button" aria-label=${label} title=${label} onClick=${onClick} ...${rest}>
        <${Icon} />
    </button>`;
}

/** @param text gives what is to be copied */
export function CopyButton({ text, label }) {
    const [state, setState] = useState("idle");
    useEffect(() => {
        const timer = setTimeout(() => setState("idle"), 2000);
        return () => clearTimeout(timer);
    }, [state]);
    const copy = async () => setState((await toClipboard(text())) ? "copied" : "failed");
    const said = { idle: label, copied: "Copied", failed: "Copying is not allowed here" }[state];
    return html`<${IconButton} icon=${state === "copied" ? Check : Copy} label=${said} onClick=${copy} />`;
}

/** The clipboard's API exists for https and this machine only; elsewhere the old way. */
export async function toClipboard(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = document.createElement("textarea");
        area.value = text;
        area.className = "off-screen";
        document.body.append(area);
        area.select();
        const copied = document.execCommand("copy");
        area.remove();
        return copied;
    }
}

/** Gives the user a file. */
export function download(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
