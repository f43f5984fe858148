// Makes a picture of a terminal: FILE.ansi, what `tmux capture-pane -e -p` printed, becomes FILE.png.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const BASIC = ["#1c2326", "#e0707a", "#8fc98a", "#e5b567", "#7fb4e8", "#d59ad6", "#7ecabf", "#d9d5c8"];
const BRIGHT = ["#6b7478", "#ff8e97", "#aee3a8", "#ffd287", "#a2cdf7", "#edb6ee", "#9fe3d9", "#ffffff"];

function indexed(index) {
    if (index < 16) {
        return (index < 8 ? BASIC : BRIGHT)[index % 8];
    }
    if (index >= 232) {
        const grey = 8 + 10 * (index - 232);
        return `rgb(${grey},${grey},${grey})`;
    }
    const level = (value) => (value === 0 ? 0 : 55 + 40 * value);
    const cube = index - 16;
    return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}

/** A style after one "select graphic rendition" (ECMA-48, 8.3.117). */
function select(style, codes) {
    let next = { ...style };
    for (let i = 0; i < codes.length; i++) {
        const code = codes[i];
        if (code === 0) next = {};
        else if (code === 1) next.bold = true;
        else if (code === 2) next.dim = true;
        else if (code === 3) next.italic = true;
        else if (code === 4) next.underline = true;
        else if (code === 7) next.inverse = true;
        else if (code === 22) next.bold = next.dim = false;
        else if (code === 23) next.italic = false;
        else if (code === 24) next.underline = false;
        else if (code === 27) next.inverse = false;
        else if (code >= 30 && code < 38) next.colour = BASIC[code - 30];
        else if (code >= 90 && code < 98) next.colour = BRIGHT[code - 90];
        else if (code === 38 && codes[i + 1] === 5) next.colour = indexed(codes[(i += 2)]);
        else if (code === 39) delete next.colour;
    }
    return next;
}

function css(style) {
    const rules = [];
    if (style.bold) rules.push("font-weight:700");
    if (style.dim) rules.push("opacity:.6");
    if (style.italic) rules.push("font-style:italic");
    if (style.underline) rules.push("text-decoration:underline");
    if (style.colour) rules.push(`color:${style.colour}`);
    if (style.inverse) rules.push("background:#d9d5c8;color:#15191b");
    return rules.join(";");
}

function html(text) {
    let style = {};
    return text
        .split(/(\u001b\[[0-9;]*m)/)
        .map((piece) => {
            const codes = /^\u001b\[([0-9;]*)m$/.exec(piece);
            if (codes) {
                style = select(style, codes[1].split(";").map(Number));
                return "";
            }
            const escaped = piece.replace(/&/g, "&amp;").replace(/</g, "&lt;");
            return escaped === "" ? "" : `<span style="${css(style)}">${escaped}</span>`;
        })
        .join("");
}

const file = process.argv[2];
const screen = readFileSync(file, "utf8").trimEnd();
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"], // the tests may run as root
});
try {
    const page = await browser.newPage({ deviceScaleFactor: 1.5 });
    await page.setContent(`<body style="margin:0;background:#15191b"><pre style="display:inline-block;margin:0;padding:20px 24px;
        font:15px/1.3 'DejaVu Sans Mono',monospace;color:#d9d5c8;background:#15191b">${html(screen)}</pre>`);
    await page.locator("pre").screenshot({ path: file.replace(/ansi$/, "png") });
} finally {
    await browser.close();
}
