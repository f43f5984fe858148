// What the page itself remembers: how it looks, what a new conversation starts with, the key.

const STORED = "ossicle.page";
const KEY = "ossicle.key";

const DEFAULTS = {
    theme: "system",
    reasoning: true,
    shortcuts: true,
    sidebar: true,
    /** What a new conversation starts with. */
    conversation: { model: null, effort: "medium", tools: [], instructions: "", sampling: {} },
};

/** Storage may be forbidden: then things last as long as the page. */
function storage(name) {
    try {
        return window[name];
    } catch {
        return null;
    }
}

function read(store, name) {
    try {
        return store?.getItem(name) ?? null;
    } catch {
        return null;
    }
}

function write(store, name, value) {
    try {
        if (value === null) {
            store?.removeItem(name);
        } else {
            store?.setItem(name, value);
        }
    } catch {
        // full or forbidden
    }
}

export function load() {
    try {
        return { ...DEFAULTS, ...JSON.parse(read(storage("localStorage"), STORED) ?? "{}") };
    } catch {
        return DEFAULTS;
    }
}

export function save(settings) {
    write(storage("localStorage"), STORED, JSON.stringify(settings));
}

let heldKey = read(storage("sessionStorage"), KEY) ?? read(storage("localStorage"), KEY);

/** The server's key: kept until the tab is closed, or on this computer if the user says so. */
export const key = {
    get: () => heldKey,
    set(value, remember) {
        key.forget();
        heldKey = value;
        write(storage(remember ? "localStorage" : "sessionStorage"), KEY, value);
    },
    forget() {
        heldKey = null;
        write(storage("localStorage"), KEY, null);
        write(storage("sessionStorage"), KEY, null);
    },
};

/** What is being written and was not sent, by conversation. */
export const drafts = {
    get: (id) => read(storage("sessionStorage"), `ossicle.draft.${id}`) ?? "",
    set: (id, text) => write(storage("sessionStorage"), `ossicle.draft.${id}`, text === "" ? null : text),
};

export function applyTheme(theme) {
    if (theme === "system") {
        document.documentElement.removeAttribute("data-theme");
    } else {
        document.documentElement.dataset.theme = theme;
    }
}
