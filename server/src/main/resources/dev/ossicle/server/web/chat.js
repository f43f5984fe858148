// All that the page knows and does; the views draw its state and call its methods.
import * as answers from "./answer.js";
import { ApiError, health, models, respond } from "./api.js";
import * as conversations from "./conversation.js";
import { request } from "./request.js";
import { applyTheme, drafts, key, load, save } from "./settings.js";
import * as store from "./store.js";

const SAVE_AFTER = 400;
const ASK_HEALTH_EVERY = 2000;
const TOAST_FOR = 12_000;
const DEFAULTS = ["model", "effort", "tools", "instructions", "sampling"];

export class Chat {
    #draw;
    #timer = null; // until it is drawn again
    #drawing = false; // with the next frame
    #drawTook = 0;
    #unsaved = new Set();
    #saving = null;
    #runs = new Map(); // of a conversation's id: how to stop it
    #watching = false;
    #toastTimer = null;
    #tabs = "BroadcastChannel" in window ? new BroadcastChannel("ossicle") : null;

    constructor(draw) {
        this.#draw = draw;
        const settings = load();
        this.state = {
            settings,
            conversations: [], // newest first
            current: conversations.create(settings.conversation, Date.now()),
            running: new Set(),
            models: [],
            tools: [],
            server: { status: "ok", device: null },
            connected: false, // whether the models are known
            storageError: null,
            dialog: null, // "settings", "shortcuts", "key"
            keyError: null,
            drawer: false, // whether the list of conversations covers a narrow page
            toast: null,
            announcement: "",
        };
    }

    async start() {
        const connecting = this.connect();
        try {
            await store.open();
            const kept = (await store.all()).map(conversations.settle);
            kept.sort((a, b) => b.updated - a.updated);
            this.set({ conversations: kept });
            store.sweepFiles(conversations.filesOf(kept)).catch(() => {}); // next time, then
        } catch (e) {
            this.set({ storageError: e?.message ?? String(e) });
        }
        this.followAddress();
        addEventListener("hashchange", () => this.followAddress());
        addEventListener("pagehide", () => this.#save());
        this.#tabs?.addEventListener("message", (message) => this.#changedElsewhere(message.data));
        await connecting;
    }

    /** @param lazily whether it can wait where drawing takes long, as a word more can */
    set(changes, lazily = false) {
        this.state = { ...this.state, ...changes };
        if (this.#drawing || (lazily && this.#timer !== null)) {
            return;
        }
        clearTimeout(this.#timer);
        // What takes long to draw is drawn less often, so that the page stays usable.
        const rest = lazily && this.#drawTook > 12 ? Math.min(1000, 4 * this.#drawTook) : 0;
        this.#timer = setTimeout(() => {
            this.#timer = null;
            this.#drawing = true;
            document.hidden ? this.#drawNow() : requestAnimationFrame(() => this.#drawNow());
        }, rest);
    }

    #drawNow() {
        this.#drawing = false;
        const start = performance.now();
        this.#draw(this);
        this.#drawTook = performance.now() - start;
    }

    // ---- the server

    /** Asks for the models; where that fails, says so and goes on trying. */
    async connect() {
        try {
            const { data, tools } = await models();
            this.set({
                models: data,
                tools: tools ?? [],
                connected: true,
                keyError: null,
                dialog: this.state.dialog === "key" ? null : this.state.dialog,
            });
            const { status, device } = await health();
            this.set({ server: { status, device } });
            if (status !== "ok") {
                this.#watch();
            }
        } catch (e) {
            if (e instanceof ApiError && e.status === 401) {
                this.#locked(e);
            } else {
                this.set({ server: { status: "down", device: null } });
                this.#watch();
            }
        }
    }

    #locked(error) {
        this.set({ dialog: "key", keyError: key.get() ? error.message : null });
    }

    async #watch() {
        if (this.#watching) {
            return;
        }
        this.#watching = true;
        for (;;) {
            await new Promise((resolve) => setTimeout(resolve, ASK_HEALTH_EVERY));
            const server = await health();
            this.set({ server });
            if (server.status === "ok") {
                break;
            }
        }
        this.#watching = false;
        this.announce("The server answers again.");
        await this.connect();
    }

    giveKey(value, remember) {
        key.set(value, remember);
        return this.connect();
    }

    forgetKey() {
        key.forget();
        return this.connect();
    }

    // ---- conversations

    find(id) {
        return this.state.current.id === id
            ? this.state.current
            : this.state.conversations.find((conversation) => conversation.id === id);
    }

    /** Shows the conversation that the address names, or a new one. */
    followAddress() {
        const id = location.hash.slice(1);
        const found = this.state.conversations.find((conversation) => conversation.id === id);
        if (found) {
            this.set({ current: found, drawer: false });
        } else if (this.state.current.turns.length > 0 || id !== "") {
            this.startNew();
        }
    }

    startNew() {
        if (this.state.current.turns.length > 0) {
            this.set({ current: conversations.create(this.state.settings.conversation, Date.now()) });
        }
        if (location.hash !== "") {
            history.pushState(null, "", location.pathname + location.search);
        }
        this.set({ drawer: false });
    }

    /** Changes a conversation and has it kept. */
    change(id, changes, lazily = false) {
        const before = this.find(id);
        if (!before) {
            return; // deleted meanwhile
        }
        const after = { ...before, ...(typeof changes === "function" ? changes(before) : changes) };
        const { current } = this.state;
        this.set(
            {
                current: current.id === id ? after : current,
                conversations: this.state.conversations.map((one) => (one.id === id ? after : one)),
            },
            lazily,
        );
        this.#keep(id);
    }

    /** Changes how a conversation is answered, and how the next new one will be. */
    configure(changes) {
        this.change(this.state.current.id, changes);
        const defaults = Object.fromEntries(Object.entries(changes).filter(([name]) => DEFAULTS.includes(name)));
        this.setSettings({ conversation: { ...this.state.settings.conversation, ...defaults } });
    }

    setSettings(changes) {
        const settings = { ...this.state.settings, ...changes };
        save(settings);
        applyTheme(settings.theme);
        this.set({ settings });
    }

    rename(id, title) {
        this.change(id, { title: title.trim() });
    }

    /** Forgets conversations; for a while this can be undone. */
    async remove(ids) {
        const gone = this.state.conversations.filter((one) => ids.includes(one.id));
        if (gone.length === 0) {
            return;
        }
        ids.forEach((id) => this.#runs.get(id)?.abort());
        const isCurrent = ids.includes(this.state.current.id);
        this.set({ conversations: this.state.conversations.filter((one) => !ids.includes(one.id)) });
        if (isCurrent) {
            this.startNew();
        }
        ids.forEach((id) => this.#keep(id));
        const what = gone.length === 1 ? `“${conversations.titleOf(gone[0])}” is` : `${gone.length} conversations are`;
        this.toast(`${what} deleted.`, "Undo", () => this.#add(gone.map(conversations.settle)));
    }

    #add(more) {
        const all = [...more, ...this.state.conversations].sort((a, b) => b.updated - a.updated);
        this.set({ conversations: all });
        more.forEach((one) => this.#keep(one.id));
        this.#save();
    }

    async importFile(file) {
        try {
            const read = conversations.imported(await file.text());
            this.#add(read);
            this.toast(`${read.length} conversation${read.length === 1 ? "" : "s"} imported.`);
        } catch (e) {
            this.toast(`${file.name} was not imported. ${e.message}`);
        }
    }

    // ---- asking

    ask(question) {
        const { current } = this.state;
        const turn = { id: conversations.newId(), question, answers: [], shown: 0 };
        if (current.turns.length === 0) {
            const begun = { ...current, title: current.title || conversations.titleFrom(question), turns: [turn] };
            this.set({ current: begun, conversations: [begun, ...this.state.conversations] });
            history.pushState(null, "", `#${begun.id}`);
        } else {
            this.change(current.id, { turns: [...current.turns, turn] });
        }
        drafts.set(current.id, "");
        return this.#run(current.id, turn.id);
    }

    /** Another answer to a question; those before are kept beside it. */
    again(turnId) {
        const { current } = this.state;
        const place = current.turns.findIndex((turn) => turn.id === turnId);
        this.#cut(current, place + 1, {});
        return this.#run(current.id, turnId);
    }

    /** Asks a question in other words; what came after it is gone, which can be undone. */
    edit(turnId, question) {
        const { current } = this.state;
        const place = current.turns.findIndex((turn) => turn.id === turnId);
        this.#cut(current, place, { turns: [{ id: conversations.newId(), question, answers: [], shown: 0 }] });
        return this.#run(current.id, this.find(current.id).turns[place].id);
    }

    #cut(before, length, { turns = [] }) {
        const lost = before.turns.length - length;
        this.change(before.id, { turns: [...before.turns.slice(0, length), ...turns] });
        if (lost > turns.length || turns.length > 0) {
            this.toast("What followed was replaced.", "Undo", () => {
                this.stop(before.id);
                this.change(before.id, { turns: before.turns });
            });
        }
    }

    stop(id = this.state.current.id) {
        this.#runs.get(id)?.abort();
    }

    show(turnId, place) {
        this.#changeTurn(this.state.current.id, turnId, () => ({ shown: place }));
    }

    #changeTurn(id, turnId, changes, lazily = false) {
        const change = ({ turns }) => ({
            updated: Date.now(),
            turns: turns.map((turn) => (turn.id === turnId ? { ...turn, ...changes(turn) } : turn)),
        });
        this.change(id, change, lazily);
    }

    /** Lets the server make a call of an MCP tool, or not; the answer goes on when nothing is left to decide. */
    decide(turnId, itemId, approved) {
        const { id } = this.state.current;
        const decided = (item) => (item.id === itemId ? { ...item, decided: approved } : item);
        this.#changeTurn(id, turnId, (turn) => ({
            answers: turn.answers.with(turn.shown, {
                ...conversations.shownAnswer(turn),
                items: conversations.shownAnswer(turn).items.map(decided),
            }),
        }));
        const answer = conversations.shownAnswer(this.find(id).turns.find((turn) => turn.id === turnId));
        return answers.isUndecided(answer) ? undefined : this.#run(id, turnId, answer);
    }

    /** @param begun the answer that goes on; null for a new one */
    async #run(id, turnId, begun = null) {
        this.stop(id); // one answer at a time
        const conversation = this.find(id);
        const place = conversation.turns.findIndex((turn) => turn.id === turnId);
        const abort = new AbortController();
        let answer = begun
            ? answers.resume(begun)
            : answers.begin(conversations.newId(), conversation.model, conversation.effort, Date.now());
        this.#changeTurn(id, turnId, (turn) => {
            // An answer that never began is not worth a place of its own.
            const before = turn.answers.filter((one) => one.items.length > 0 && one.id !== answer.id);
            return { answers: [...before, answer], shown: before.length };
        });
        const show = (next) => {
            answer = next;
            const put = ({ answers: all }) => ({ answers: all.map((one) => (one.id === next.id ? next : one)) });
            this.#changeTurn(id, turnId, put, true);
        };
        this.#runs.set(id, abort);
        this.#showRuns();
        this.announce("The model thinks.");
        try {
            const asked = request(conversation, place, this.state.tools, begun);
            const ignored = (fields) => this.#tellIgnored(fields);
            for await (const event of respond(asked, abort.signal, ignored)) {
                show(answers.apply(answer, event, Date.now()));
                if (answer.status !== "streaming") {
                    break;
                }
            }
            if (answer.status === "streaming") {
                throw new ApiError("The connection ended before the answer did.", 0, "unreachable", 0);
            }
        } catch (e) {
            this.#failed(e, answer, show, abort);
        } finally {
            if (this.#runs.get(id) === abort) {
                this.#runs.delete(id);
            }
            this.#showRuns();
            this.#save();
            this.#tellEnd(answer);
        }
    }

    #failed(e, answer, show, abort) {
        if (abort.signal.aborted) {
            show(answers.end(answer, "stopped", null, Date.now()));
            return;
        }
        const refused = e instanceof ApiError && e.status > 0;
        if (!(e instanceof ApiError) && !(e instanceof TypeError)) {
            console.warn("the answer could not be read", e);
        }
        if (refused && e.status === 401) {
            this.#locked(e);
        }
        const advice =
            e.code === "context_length_exceeded" ? " Begin a new conversation, or edit an earlier question." : "";
        const message = refused ? e.message + advice : "The connection to the server was lost.";
        show(answers.end(answer, refused ? "failed" : "lost", message, Date.now()));
        if (!refused || e.status === 503) {
            health().then((server) => {
                this.set({ server });
                if (server.status !== "ok") {
                    this.#watch();
                }
            });
        }
    }

    #showRuns() {
        this.set({ running: new Set(this.#runs.keys()) });
    }

    #tellIgnored(fields) {
        const tools = fields.filter((field) => field.startsWith("tools"));
        if (tools.length > 0) {
            this.toast(`The server does not have ${tools.join(", ")}: it answers without.`);
        }
    }

    /** For those who listen: a short answer whole, of a long one that it is there. */
    #tellEnd(answer) {
        const said = answers.text(answer);
        const end = { done: "The answer is complete.", cut: "The answer was cut.", stopped: "Stopped." };
        this.announce(
            `${end[answer.status] ?? answer.error} ${said.length < 400 ? said : `${said.split(/\s+/).length} words.`}`,
        );
    }

    // ---- telling

    announce(announcement) {
        this.set({ announcement });
    }

    toast(text, label = null, action = null) {
        clearTimeout(this.#toastTimer);
        this.set({ toast: { text, label, action } });
        this.#toastTimer = setTimeout(() => this.set({ toast: null }), TOAST_FOR);
    }

    dismissToast() {
        clearTimeout(this.#toastTimer);
        this.set({ toast: null });
    }

    // ---- keeping

    #keep(id) {
        this.#unsaved.add(id);
        this.#saving ??= setTimeout(() => this.#save(), SAVE_AFTER);
    }

    async #save() {
        clearTimeout(this.#saving);
        this.#saving = null;
        if (!store.isOpen()) {
            return;
        }
        const ids = [...this.#unsaved];
        this.#unsaved.clear();
        try {
            // All at once: where the page is about to be closed, what has begun is still done.
            await Promise.all(
                ids.map((id) => {
                    const conversation = this.state.conversations.find((one) => one.id === id);
                    return conversation ? store.put(conversation) : store.remove(id);
                }),
            );
            ids.forEach((id) => this.#tabs?.postMessage(id));
        } catch (e) {
            ids.forEach((id) => this.#unsaved.add(id)); // with the next change
            this.toast(`The conversation could not be kept in this browser: ${e?.message ?? e}`);
        }
    }

    async #changedElsewhere(id) {
        if (this.#runs.has(id) || this.#unsaved.has(id)) {
            return; // ours is newer
        }
        const kept = await store.get(id);
        const others = this.state.conversations.filter((one) => one.id !== id);
        const all = kept ? [kept, ...others].sort((a, b) => b.updated - a.updated) : others;
        const { current } = this.state;
        this.set({ conversations: all, current: kept && current.id === id ? kept : current });
    }
}
