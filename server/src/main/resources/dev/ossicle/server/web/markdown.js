// Markdown as a tree of views. Nothing of a text ever becomes HTML: what is not Markdown, tags included, is shown as it is.
import { CodeBlock } from "./code.js";
import { html, memo } from "./html.js";
import { Plain } from "./plain.js";
import { Marked } from "./vendor/marked.js";

/** Beyond these the parser would hold the page up: the text is shown as it is. */
const MAX_TEXT = 400_000;
const MAX_LINE = 8_000;
const MAX_PARAGRAPH = 20_000;
const MAX_DEPTH = 24;

// Around the number of a citation in the text; private characters that stand for nothing else.
const CITE = "\ue000";
const CITE_END = "\ue001";
const CITES = /\ue000(\d+)\ue001/g;

const span = (name, level, begin, pattern, field) => ({
    name,
    level,
    start: (source) => {
        const at = source.search(begin);
        return at < 0 ? undefined : at;
    },
    tokenizer(source) {
        const match = pattern.exec(source);
        return match ? { type: name, raw: match[0], [field]: match[1] } : undefined;
    },
});

const marked = new Marked({ gfm: true });
marked.use({
    extensions: [
        span("cite", "inline", /\ue000/, /^\ue000(\d+)\ue001/, "number"),
        // Formulas are shown as they were written, not mangled as emphasis.
        span("formula", "inline", /\\\(/, /^\\\(([^\n]+?)\\\)/, "text"),
        span("formulaBlock", "block", /\\\[|\$\$/, /^(?:\\\[\s*([^]+?)\s*\\\])/, "text"),
        span("dollarBlock", "block", /\$\$/, /^\$\$\s*([^]+?)\s*\$\$/, "text"),
    ],
});

/** The tokens of a text; null if it must be shown as it is. */
export function parse(text) {
    if (text.length > MAX_TEXT || isUnwieldy(text)) {
        return null;
    }
    try {
        return marked.lexer(text);
    } catch {
        return null; // nested too deep
    }
}

/** Code may have long lines; elsewhere they make the parser slow. */
function isUnwieldy(text) {
    let fenced = false;
    let paragraph = 0;
    for (const line of text.split("\n")) {
        if (/^ {0,3}(```|~~~)/.test(line)) {
            fenced = !fenced;
        }
        paragraph = line.trim() === "" || fenced ? 0 : paragraph + line.length;
        if (!fenced && (line.length > MAX_LINE || paragraph > MAX_PARAGRAPH)) {
            return true;
        }
    }
    return false;
}

/** A text with its citations. @param live whether more of it is to come */
export function Markdown({ text, annotations = [], live = false }) {
    const citations = annotations.filter((one) => one.type === "url_citation");
    const tokens = parse(withCitations(text, citations));
    if (tokens === null) {
        return html`<div class="markdown"><p class="plain"><${Plain} text=${text} /></p></div>`;
    }
    const signature = `${Object.keys(tokens.links).length} ${citations.length}`;
    const highest = Math.min(6, ...tokens.map((token) => (token.type === "heading" ? token.depth : 6)));
    return html`<div class="markdown">
        ${tokens.map(
            (token, i) =>
                html`<${Block}
                    key=${i}
                    raw=${token.raw}
                    signature=${signature}
                    live=${live && i + 1 === tokens.length}
                    token=${token}
                    citations=${citations}
                    highest=${highest}
                />`,
        )}
    </div>`;
}

/** Drawn again only when its text changes: of a long answer that grows, that is the last block. */
const Block = memo(
    ({ token, citations, live, highest }) => block(token, { citations, live, highest, depth: 0 }),
    ["raw", "signature", "live", "highest"],
);

/** Puts marks where the citations are; their places count code points, as OpenAI's do. */
function withCitations(text, citations) {
    const clean = text.replace(/[\ue000\ue001]/g, "\ufffd");
    if (citations.length === 0) {
        return clean;
    }
    const points = Array.from(clean);
    const parts = [];
    let from = 0;
    const ordered = citations.map((one, i) => [one, i]).sort(([a], [b]) => a.start_index - b.start_index);
    for (const [{ start_index: start, end_index: end }, i] of ordered) {
        if (Number.isInteger(start) && Number.isInteger(end) && from <= start && start <= end && end <= points.length) {
            parts.push(points.slice(from, start).join("").trimEnd(), CITE, String(i), CITE_END);
            from = end;
        }
    }
    parts.push(points.slice(from).join(""));
    return parts.join("");
}

function block(token, context) {
    if (context.depth > MAX_DEPTH) {
        return html`<p class="plain">${token.raw}</p>`;
    }
    const inside = { ...context, depth: context.depth + 1 };
    switch (token.type) {
        case "space":
        case "def":
            return null;
        case "heading":
            // The question is an h2: the highest of an answer comes next.
            return html`<${`h${Math.min(6, 3 + Math.max(0, token.depth - context.highest))}`}>${inlines(token.tokens, inside)}<//>`;
        case "paragraph":
            return html`<p>${inlines(token.tokens, inside)}</p>`;
        case "text":
            return token.tokens ? inlines(token.tokens, inside) : decoded(token.text);
        case "checkbox":
            return html`<span class="checkbox" role="img" aria-label=${token.checked ? "done" : "to do"}>
                ${token.checked ? "☑" : "☐"}
            </span> `;
        case "hr":
            return html`<hr />`;
        case "blockquote":
            return html`<blockquote>${token.tokens.map((one) => block(one, inside))}</blockquote>`;
        case "list": {
            const items = token.items.map(
                (item) => html`<li class=${item.task ? "task" : ""}>
                    ${item.tokens.map((one) => block(one, inside))}
                </li>`,
            );
            return token.ordered
                ? html`<ol start=${token.start}>
                      ${items}
                  </ol>`
                : html`<ul>
                      ${items}
                  </ul>`;
        }
        case "code":
            return html`<${CodeBlock}
                text=${withoutCitations(token.text)}
                language=${token.lang ?? ""}
                live=${context.live && !/\n\s*(`{3,}|~{3,})\s*$/.test(token.raw)}
            />`;
        case "table":
            return table(token, inside);
        case "formulaBlock":
        case "dollarBlock":
            return html`<p class="formula" role="math">${token.text}</p>`;
        default:
            return html`<p class="plain">${withoutCitations(token.raw)}</p>`; // HTML
    }
}

function table(token, context) {
    const cells = (row, cell) =>
        row.map((one) => html`<${cell} class=${one.align ?? ""}>${inlines(one.tokens, context)}<//>`);
    return html`<div class="table" tabindex="0" role="region" aria-label="Table">
        <table>
            <thead>
                <tr>
                    ${cells(token.header, "th")}
                </tr>
            </thead>
            <tbody>
                ${token.rows.map(
                    (row) => html`<tr>
                        ${cells(row, "td")}
                    </tr>`,
                )}
            </tbody>
        </table>
    </div>`;
}

const TAG = /^<(sub|sup|kbd|mark|u|b|i|em|strong|small)>$/i;

/** Tokens of a line. A few harmless tags are what they say; all others are text. */
function inlines(tokens, context) {
    const views = [];
    for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i];
        const tag = token.type === "html" ? TAG.exec(token.text)?.[1].toLowerCase() : undefined;
        const close = tag
            ? tokens.findIndex((one, j) => j > i && one.type === "html" && one.text.toLowerCase() === `</${tag}>`)
            : -1;
        if (close > 0 && context.depth < MAX_DEPTH) {
            const within = { ...context, depth: context.depth + 1 };
            views.push(html`<${tag}>${inlines(tokens.slice(i + 1, close), within)}<//>`);
            i = close;
        } else {
            views.push(inline(token, context));
        }
    }
    return views;
}

function inline(token, context) {
    if (context.depth > MAX_DEPTH) {
        return token.raw;
    }
    const inside = { ...context, depth: context.depth + 1 };
    switch (token.type) {
        case "text":
            return token.tokens ? inlines(token.tokens, inside) : decoded(token.text);
        case "escape":
            return token.text;
        case "strong":
            return html`<strong>${inlines(token.tokens, inside)}</strong>`;
        case "em":
            return html`<em>${inlines(token.tokens, inside)}</em>`;
        case "del":
            return html`<del>${inlines(token.tokens, inside)}</del>`;
        case "codespan":
            return html`<code>${withoutCitations(token.text)}</code>`;
        case "br":
            return html`<br />`;
        case "link":
            return html`<${Link} href=${token.href}>${inlines(token.tokens, inside)}<//>`;
        case "image":
            return image(token);
        case "checkbox":
            return block(token, context);
        case "formula":
            return html`<span class="formula" role="math">${token.text}</span>`;
        case "cite": {
            const citation = context.citations[Number(token.number)];
            return citation ? html`<${Citation} citation=${citation} number=${Number(token.number) + 1} />` : null;
        }
        default:
            return /^<br\s*\/?>$/i.test(token.raw) ? html`<br />` : token.raw;
    }
}

/** Where a link may lead; null if nowhere: scripts, files and the like. */
export function safeAddress(address) {
    try {
        const url = new URL(address);
        return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
    } catch {
        return null; // relative: there is nothing beside this page
    }
}

export function Link({ href, children }) {
    const address = safeAddress(href);
    return address === null
        ? html`<span class="dead-link" title=${href}>${children}</span>`
        : html`<a href=${address} target="_blank" rel="noopener noreferrer">${children}</a>`;
}

/** Images that are part of the text are shown; those of other servers would tell them who reads. */
function image({ href, text }) {
    return /^data:image\/(png|jpeg|gif|webp);base64,/.test(href)
        ? html`<img src=${href} alt=${text} />`
        : html`<${Link} href=${href}>Image: ${text || href}<//>`;
}

function Citation({ citation, number }) {
    const address = safeAddress(citation.url);
    const label = citation.title || hostOf(citation.url);
    return html`<sup class="citation">
        ${
            address === null
                ? html`<span title=${citation.url}>${number}</span>`
                : html`<a href=${address} target="_blank" rel="noopener noreferrer" title=${label} aria-label="Source ${number}: ${label}">
                  ${number}
              </a>`
        }
    </sup>`;
}

export function hostOf(address) {
    try {
        return new URL(address).host || address;
    } catch {
        return address;
    }
}

const withoutCitations = (text) => text.replace(CITES, "");

const ENTITIES = {
    __proto__: null,
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    nbsp: "\u00a0",
    copy: "©",
    hellip: "…",
    mdash: "—",
    ndash: "–",
    times: "×",
    deg: "°",
    rarr: "→",
    larr: "←",
    le: "≤",
    ge: "≥",
    ne: "≠",
};

function decoded(text) {
    return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, name) => {
        if (name) {
            return ENTITIES[name] ?? whole;
        }
        const point = parseInt(decimal ?? hex, decimal ? 10 : 16);
        return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    });
}
