import { html, useEffect, useState } from "./html.js";

/** The time, which goes on by itself. @param every in milliseconds */
export function useNow(every) {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), every);
        return () => clearInterval(timer);
    }, []);
    return now;
}

/** Seconds since, counted by itself. */
export function Elapsed({ since }) {
    const seconds = Math.floor((useNow(500) - since) / 1000);
    return html`<span class="elapsed">${seconds > 0 ? ` ${seconds} s` : ""}</span>`;
}

export function duration(ms) {
    if (ms < 950) {
        return `${Math.max(0.1, ms / 1000).toFixed(1)} s`;
    }
    const seconds = Math.round(ms / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
