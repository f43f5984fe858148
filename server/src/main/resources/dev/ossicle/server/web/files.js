// The files that Python left. The server keeps them for a while only, so the browser keeps its own.
import { containerFile } from "./api.js";
import { download } from "./buttons.js";
import { html, useEffect, useState } from "./html.js";
import { File } from "./icons.js";
import * as store from "./store.js";

const IMAGE = /\.(png|jpe?g|gif|webp)$/i;
const TYPES = { png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp" };

async function load({ container_id: container, file_id: id }) {
    const kept = store.isOpen() ? await store.getFile(id) : undefined;
    if (kept) {
        return kept;
    }
    const blob = await containerFile(container, id);
    if (store.isOpen()) {
        await store.putFile(id, blob).catch(() => {}); // no room: it is still here
    }
    return blob;
}

/** Images are shown, all can be saved. */
export function FileCard({ file }) {
    const [state, setState] = useState({ blob: null, url: null, error: null });
    const name = String(file.filename ?? file.file_id);
    useEffect(() => {
        let url = null;
        let here = true;
        load(file).then(
            (blob) => {
                if (here) {
                    // Its type follows from its name: a file that is really a page must not be opened as one.
                    const type = IMAGE.test(name)
                        ? TYPES[name.split(".").at(-1).toLowerCase()]
                        : "application/octet-stream";
                    url = URL.createObjectURL(new Blob([blob], { type }));
                    setState({ blob, url, error: null });
                }
            },
            (e) => here && setState({ blob: null, url: null, error: e.message }),
        );
        return () => {
            here = false;
            URL.revokeObjectURL(url);
        };
    }, [file.file_id]);
    return html`<div class="file">
        ${state.url && IMAGE.test(name) && html`<img src=${state.url} alt="The picture ${name}, made by Python" />`}
        <button type="button" class="button" disabled=${state.blob === null} onClick=${() => download(name, state.blob)}>
            <${File} /> Save ${name} ${state.blob && html`<small>${size(state.blob.size)}</small>`}
        </button>
        ${state.error && html`<p class="note">${name} cannot be had any more: ${state.error}</p>`}
    </div>`;
}

function size(bytes) {
    return bytes < 1000
        ? `${bytes} bytes`
        : bytes < 1e6
          ? `${(bytes / 1e3).toFixed(1)} kB`
          : `${(bytes / 1e6).toFixed(1)} MB`;
}
