// A block of code with its language, a button that copies it, and colours that come once it is complete.
import { CopyButton } from "./buttons.js";
import { html, useEffect, useState } from "./html.js";
import { Plain } from "./plain.js";

const MAX_COLOURED = 60_000;

const LANGUAGES = {
    bash: "bash sh shell zsh console shellsession",
    c: "c h",
    cpp: "cpp c++ cc hpp",
    csharp: "csharp cs c#",
    css: "css",
    diff: "diff patch",
    dockerfile: "dockerfile docker",
    go: "go golang",
    ini: "ini toml conf properties",
    java: "java",
    javascript: "javascript js jsx mjs cjs node",
    json: "json jsonc json5 jsonl",
    kotlin: "kotlin kt kts",
    lua: "lua",
    makefile: "makefile make",
    markdown: "markdown md",
    php: "php",
    python: "python py python3",
    r: "r",
    ruby: "ruby rb",
    rust: "rust rs",
    scala: "scala",
    sql: "sql postgresql mysql sqlite",
    swift: "swift",
    typescript: "typescript ts tsx",
    xml: "xml html svg xhtml vue",
    yaml: "yaml yml",
};

const BY_NAME = new Map(
    Object.entries(LANGUAGES).flatMap(([language, names]) => names.split(" ").map((name) => [name, language])),
);

let highlighter = null;
const registered = new Map();

/** Loads the highlighter and a language when they are first needed. */
function load(language) {
    highlighter ??= import("./vendor/highlight/core.js").then((module) => module.default);
    if (!registered.has(language)) {
        registered.set(
            language,
            Promise.all([highlighter, import(`./vendor/highlight/languages/${language}.js`)]).then(([core, module]) => {
                core.registerLanguage(language, module.default);
                return core;
            }),
        );
    }
    return registered.get(language);
}

/** The highlighter writes HTML of nothing but spans with classes and escaped text: read back, so that no HTML is made of it. */
export function views(markup) {
    const stack = [[]];
    const classes = [];
    for (const part of markup.split(/(<span class="[\w -]*">|<\/span>)/)) {
        if (part === "</span>" && stack.length > 1) {
            const inner = stack.pop();
            stack.at(-1).push(html`<span class=${classes.pop()}>${inner}</span>`);
        } else if (part.startsWith('<span class="')) {
            classes.push(part.slice(13, -2));
            stack.push([]);
        } else if (part !== "") {
            stack.at(-1).push(unescape(part));
        }
    }
    return stack.flat();
}

const ESCAPED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };
const unescape = (text) => text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (one) => ESCAPED[one]);

export function CodeBlock({ text, language, live = false }) {
    const name = language
        .trim()
        .split(/[\s{,:]/, 1)[0]
        .toLowerCase();
    const known = BY_NAME.get(name) ?? null;
    const [coloured, setColoured] = useState(null);
    useEffect(() => {
        if (live || known === null || text.length > MAX_COLOURED) {
            return undefined;
        }
        let here = true;
        load(known).then(
            (core) => here && setColoured({ text, views: views(core.highlight(text, { language: known }).value) }),
            () => {}, // without colours, then
        );
        return () => {
            here = false;
        };
    }, [text, known, live]);
    return html`<figure class="code">
        <figcaption>
            <span>${name || "text"}</span>
            <${CopyButton} text=${() => text} label="Copy code" />
        </figcaption>
        <pre tabindex="0"><code>${coloured?.text === text ? coloured.views : html`<${Plain} text=${text} />`}</code></pre>
    </figure>`;
}
