import { html } from "./html.js";

const icon = (paths) => () =>
    html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${paths.map(
        (d) => html`<path d=${d} />`,
    )}</svg>`;

export const Menu = icon(["M4 7h16", "M4 12h16", "M4 17h10"]);
export const Plus = icon(["M12 5v14", "M5 12h14"]);
export const Send = icon(["M12 19V5", "M6 11l6-6 6 6"]);
export const Stop = icon(["M7 7h10v10H7z"]);
export const Again = icon(["M20 12a8 8 0 1 1-2.5-5.8", "M20 3v4.5h-4.5"]);
export const Edit = icon(["M4 20l1-4L16 5l3 3L8 19z"]);
export const Copy = icon(["M9 9h10v11H9z", "M15 6V4H5v11h2"]);
export const Check = icon(["M5 13l4.5 4.5L19 7"]);
export const Bin = icon(["M5 7h14", "M9 7V4h6v3", "M7 7l1 13h8l1-13"]);
export const Left = icon(["M14 6l-6 6 6 6"]);
export const Right = icon(["M10 6l6 6-6 6"]);
export const Down = icon(["M12 5v14", "M6 13l6 6 6-6"]);
export const Close = icon(["M6 6l12 12", "M18 6L6 18"]);
export const Settings = icon(["M4 7h9", "M17 7h3", "M15 5v4", "M4 17h3", "M11 17h9", "M9 15v4"]);
export const Help = icon(["M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4", "M12 18v.01"]);
export const Thought = icon(["M4 12c2-6 4-6 5 0s3 6 5 0 3-6 6 0"]);
export const Python = icon(["M8 8l-4 4 4 4", "M16 8l4 4-4 4", "M13.5 5l-3 14"]);
export const Search = icon(["M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M20 20l-4-4"]);
export const Tool = icon(["M14 6a4 4 0 0 0 5 5l-8 8a2.1 2.1 0 0 1-3-3z"]);
export const File = icon(["M6 3h8l4 4v14H6z", "M14 3v4h4"]);
export const Warning = icon(["M12 4l9 16H3z", "M12 10v4", "M12 17v.01"]);
export const Sun = icon([
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z",
    "M12 2v2",
    "M12 20v2",
    "M2 12h2",
    "M20 12h2",
    "M5 5l1.5 1.5",
    "M17.5 17.5L19 19",
    "M19 5l-1.5 1.5",
    "M6.5 17.5L5 19",
]);
export const Moon = icon(["M19 14.5A8 8 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5z"]);
export const System = icon(["M4 5h16v11H4z", "M9 20h6", "M12 16v4"]);

/** The stirrup, last of the three small bones of the ear. It trembles while the model speaks. */
export const Mark = ({ live = false }) =>
    html`<svg class=${live ? "mark live" : "mark"} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path d="M10.3 4.8C6.2 6.8 5 11.5 5 18" />
        <path d="M13.7 4.8C17.8 6.8 19 11.5 19 18" />
        <path class="plate" d="M3.5 19.5h17" />
        <circle cx="12" cy="4.2" r="2.2" />
    </svg>`;
