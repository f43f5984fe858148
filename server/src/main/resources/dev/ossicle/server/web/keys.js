// Shortcuts of the keyboard.

export const SHORTCUTS = [
    [["Enter"], "Send"],
    [["Shift", "Enter"], "New line"],
    [["Esc"], "Stop the answer"],
    [["/"], "Write"],
    [["n"], "New conversation"],
    [["r"], "Answer the last question again"],
    [["t"], "Show or hide what the model thinks"],
    [["b"], "Show or hide the conversations"],
    [["s"], "Settings"],
    [["?"], "These keys"],
];

export function onKey(event, chat) {
    const { state } = chat;
    if (event.key === "Escape" && state.dialog === null) {
        if (state.drawer) {
            chat.set({ drawer: false });
        } else {
            chat.stop();
        }
        return;
    }
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (
        writing ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        state.dialog !== null ||
        !state.settings.shortcuts
    ) {
        return;
    }
    const action = ACTIONS[event.key];
    if (action) {
        event.preventDefault();
        action(chat);
    }
}

const ACTIONS = {
    "/": () => document.getElementById("question").focus(),
    "?": (chat) => chat.set({ dialog: "shortcuts" }),
    s: (chat) => chat.set({ dialog: "settings" }),
    n: (chat) => chat.startNew(),
    t: (chat) => chat.setSettings({ reasoning: !chat.state.settings.reasoning }),
    b: (chat) => toggleSidebar(chat),
    r: (chat) => {
        const { current, running } = chat.state;
        if (current.turns.length > 0 && !running.has(current.id)) {
            chat.again(current.turns.at(-1).id);
        }
    },
};

/** Beside the conversation where there is room, in front of it where there is not. */
export function toggleSidebar(chat) {
    if (matchMedia("(max-width: 55rem)").matches) {
        chat.set({ drawer: !chat.state.drawer });
    } else {
        chat.setSettings({ sidebar: !chat.state.settings.sidebar });
    }
}
