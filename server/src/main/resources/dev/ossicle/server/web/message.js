// One turn: the question, the answer with its items in order, and what can be done with them.
import { shownAnswer } from "./conversation.js";
import { isUndecided, speed, text as textOf } from "./answer.js";
import { CopyButton, IconButton } from "./buttons.js";
import { ToolCard } from "./cards.js";
import { FileCard } from "./files.js";
import { html, memo, useEffect, useErrorBoundary, useRef, useState } from "./html.js";
import { Again, Edit, Left, Mark, Right, Thought, Warning } from "./icons.js";
import { Link, Markdown, hostOf } from "./markdown.js";
import { Plain } from "./plain.js";
import { Elapsed, duration, useNow } from "./time.js";

/** A turn is drawn again when it changes, and not with every word of another one. */
export const Turn = memo(({ turn, chat, place, reasoning, running }) => {
    const [broken] = useErrorBoundary();
    const answer = shownAnswer(turn);
    if (broken) {
        // Whatever came, the rest of the page goes on.
        return html`<p class="turn note error">This part of the conversation cannot be shown: ${String(broken)}. Export has it.</p>`;
    }
    return html`<section class="turn" aria-label="Question ${place + 1}">
        <${Question} turn=${turn} chat=${chat} running=${running} />
        ${answer && html`<${Answer} answer=${answer} turn=${turn} chat=${chat} reasoning=${reasoning} running=${running} />`}
    </section>`;
});

function Question({ turn, chat, running }) {
    const [edited, setEdited] = useState(null);
    const field = useRef(null);
    useEffect(() => field.current?.focus(), [edited !== null]);
    const send = () => {
        if (edited.trim() !== "") {
            setEdited(null);
            chat.edit(turn.id, edited);
        }
    };
    const onKeyDown = (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
        } else if (event.key === "Escape") {
            event.stopPropagation();
            setEdited(null);
        }
    };
    if (edited !== null) {
        return html`<div class="question">
            <span class="who">You</span>
            <div class="editing">
                <textarea
                    ref=${field}
                    aria-label="The question, in other words"
                    rows=${Math.min(12, edited.split("\n").length + 1)}
                    value=${edited}
                    onInput=${(event) => setEdited(event.target.value)}
                    onKeyDown=${onKeyDown}
                ></textarea>
                <div class="row">
                    <button type="button" class="button primary" onClick=${send}>Ask again</button>
                    <button type="button" class="button" onClick=${() => setEdited(null)}>Cancel</button>
                </div>
            </div>
        </div>`;
    }
    return html`<div class="question">
        <span class="who">You</span>
        <h2><${Plain} text=${turn.question} /></h2>
        <div class="actions">
            <${CopyButton} text=${() => turn.question} label="Copy question" />
            <${IconButton} icon=${Edit} label="Edit and ask again" disabled=${running} onClick=${() => setEdited(turn.question)} />
        </div>
    </div>`;
}

function Answer({ answer, turn, chat, reasoning, running }) {
    const live = answer.status === "streaming";
    const waiting = live && answer.items.length === 0;
    const annotations = answer.items.flatMap((item) => item.annotations ?? []);
    const sources = distinct(annotations.filter((one) => one.type === "url_citation"));
    const files = annotations.filter((one) => one.type === "container_file_citation");
    return html`<article class="answer" aria-label="Answer" aria-busy=${live}>
        <span class="who"><${Mark} live=${live} /></span>
        <div class="said">
            ${waiting && html`<p class="waiting">Reading<${Elapsed} since=${answer.began} /></p>`}
            ${answer.items.map((item) => html`<${Item} key=${item.id} item=${item} live=${live} reasoning=${reasoning} chat=${chat} turnId=${turn.id} />`)}
            ${
                files.length > 0 &&
                html`<ul class="files" aria-label="Files">
                ${files.map((file) => html`<li key=${file.file_id}><${FileCard} file=${file} /></li>`)}
            </ul>`
            }
            ${sources.length > 0 && html`<${Sources} sources=${sources} />`}
            ${live && !waiting && html`<${Progress} answer=${answer} />`}
            <${Ending} answer=${answer} turn=${turn} chat=${chat} running=${running} />
            ${!live && html`<${Footer} answer=${answer} turn=${turn} chat=${chat} running=${running} />`}
        </div>
    </article>`;
}

const Item = memo(({ item, live, reasoning, chat, turnId }) => {
    switch (item.type) {
        case "reasoning":
            return reasoning && html`<${Reasoning} item=${item} />`;
        case "message":
            return html`<div class=${item.phase === "commentary" ? "commentary" : ""}>
                <${Markdown} text=${item.text} annotations=${item.annotations} live=${live && item.ms === null} />
            </div>`;
        default:
            return html`<${ToolCard} item=${item} decide=${(approved) => chat.decide(turnId, item.id, approved)} />`;
    }
});

/** Folded; while the model thinks, its last line shows. */
function Reasoning({ item }) {
    const thinking = item.ms === null;
    const last = thinking ? item.text.trimEnd().split("\n").at(-1).slice(-160) : "";
    return html`<details class="reasoning">
        <summary>
            <${Thought} />
            <span>${thinking ? "Thinking" : `Thought for ${duration(item.ms)}`}</span>
            ${thinking && html`<${Elapsed} since=${item.began} />`}
            ${thinking && html`<span class="ticker" aria-hidden="true"><bdi>${last}</bdi></span>`}
        </summary>
        <div class="thoughts"><${Plain} text=${item.text} /></div>
    </details>`;
}

function Sources({ sources }) {
    return html`<div class="sources">
        <h3>Sources</h3>
        <ol>
            ${sources.map(
                (source) => html`<li>
                    <${Link} href=${source.url}>${source.title || source.url}<//> <small>${hostOf(source.url)}</small>
                </li>`,
            )}
        </ol>
    </div>`;
}

const distinct = (citations) => [...new Map(citations.map((one) => [one.url, one])).values()];

/** What is to be said of how an answer ended. */
function Ending({ answer, turn, chat, running }) {
    const retry = (label) =>
        html`<button type="button" class="button" disabled=${running} onClick=${() => chat.again(turn.id)}>${label}</button>`;
    switch (answer.status) {
        case "cut":
            return html`<p class="note">The answer was cut: it reached ${
                answer.error === "max_output_tokens" ? "the number of tokens that it may have" : "a limit"
            }.</p>`;
        case "stopped":
            return html`<p class="note">Stopped.</p>`;
        case "lost":
            return html`<div class="note error" role="alert">
                <${Warning} />
                <p>${answer.error}${answer.items.length > 0 ? " What had come is kept." : ""}</p>
                ${retry("Ask again")}
            </div>`;
        case "failed":
            return html`<div class="note error" role="alert">
                <${Warning} />
                <p>${answer.error}</p>
                ${retry("Try again")}
            </div>`;
        case "done":
            return (
                textOf(answer) === "" &&
                !isUndecided(answer) &&
                html`<p class="note">The model ended without saying anything.</p>`
            );
        default:
            return null;
    }
}

/** How fast it comes, by itself once a second. */
function Progress({ answer }) {
    const now = useNow(1000);
    const rate = speed(answer, now);
    return html`<p class="facts progress">
        ${answer.pieces} tokens${rate && ` · ${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s`}
    </p>`;
}

function Footer({ answer, turn, chat, running }) {
    const rate = speed(answer, answer.ended);
    const facts = [
        answer.model,
        `${answer.effort} effort`,
        answer.usage && `${answer.usage.output_tokens} tokens`,
        rate && `${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s`,
        answer.ended && duration(answer.ended - answer.began),
    ].filter(Boolean);
    const count = turn.answers.length;
    return html`<footer>
        <div class="actions">
            <${CopyButton} text=${() => textOf(answer)} label="Copy answer" />
            <${IconButton} icon=${Again} label="Answer again" disabled=${running} onClick=${() => chat.again(turn.id)} />
            ${
                count > 1 &&
                html`<span class="versions" role="group" aria-label="Answers">
                <${IconButton}
                    icon=${Left}
                    label="Answer before"
                    disabled=${turn.shown === 0}
                    onClick=${() => chat.show(turn.id, turn.shown - 1)}
                />
                <span>${turn.shown + 1} of ${count}</span>
                <${IconButton}
                    icon=${Right}
                    label="Answer after"
                    disabled=${turn.shown === count - 1}
                    onClick=${() => chat.show(turn.id, turn.shown + 1)}
                />
            </span>`
            }
        </div>
        <p class="facts">${facts.join(" · ")}</p>
    </footer>`;
}
