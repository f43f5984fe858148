// A browser with the page in it, and a line to the server that can be cut.
import assert from "node:assert/strict";
import net from "node:net";
import { chromium } from "playwright-core";

/** Passes bytes on to the server, until told not to. */
export async function line(address) {
    const { hostname, port } = new URL(address);
    const open = new Set();
    let cut = false;
    const server = net.createServer((client) => {
        if (cut) {
            client.destroy();
            return;
        }
        const upstream = net.connect(Number(port), hostname);
        for (const [one, other] of [
            [client, upstream],
            [upstream, client],
        ]) {
            open.add(one);
            one.pipe(other);
            one.on("error", () => other.destroy());
            one.on("close", () => open.delete(one));
        }
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        address: `http://127.0.0.1:${server.address().port}/`,
        cut() {
            cut = true;
            open.forEach((socket) => socket.destroy());
        },
        mend() {
            cut = false;
        },
        close() {
            this.cut();
            server.close();
        },
    };
}

/** @param expected messages of the console that are no fault, as a pattern */
export async function withPage(address, options, action) {
    const { expected = /^$/, ...contextOptions } = options;
    const browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox"], // the tests may run as root
    });
    try {
        const context = await browser.newContext({ colorScheme: "light", ...contextOptions });
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        const faults = [];
        page.on("console", (message) => {
            if (["error", "warning"].includes(message.type()) && !expected.test(message.text())) {
                faults.push(message.text());
            }
        });
        page.on("pageerror", (error) => faults.push(String(error)));
        page.on("dialog", (dialog) => {
            faults.push(`a dialog opened: ${dialog.message()}`);
            dialog.dismiss();
        });
        const foreign = [];
        page.on("request", (request) => {
            if (!request.url().startsWith(address) && !/^(blob|data):/.test(request.url())) {
                foreign.push(request.url());
            }
        });
        await page.goto(address);
        await action(page, context);
        assert.deepEqual(faults, [], "the console is quiet");
        assert.deepEqual(foreign, [], "nothing is fetched from elsewhere");
    } finally {
        await browser.close();
    }
}

export const question = (page) => page.getByRole("textbox", { name: "Your question" });
export const answer = (page, n = -1) => page.getByRole("article", { name: "Answer" }).nth(n);

export async function write(page, text) {
    await question(page).fill(text);
    await page.keyboard.press("Enter");
}

export async function beginAnew(page) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.locator(".welcome").waitFor();
}

/** Asks, and waits for the end of the answer. */
export async function ask(page, text) {
    const before = await page.locator("section.turn").count();
    await write(page, text);
    await page.locator("section.turn").nth(before).waitFor();
    await settled(page);
}

export async function settled(page) {
    await page.locator("article.answer footer, article.answer .note.error").last().waitFor();
    await page.waitForFunction(() => !document.querySelector("article[aria-busy=true]"));
}

/** Has the next question answered with these events. */
export async function scripted(page, events) {
    const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    await page.route(
        "**/v1/responses",
        (route) => route.fulfill({ status: 200, contentType: "text/event-stream", body }),
        { times: 1 },
    );
}

/** The events of a response with these items. */
export function responseOf(items, usage = { input_tokens: 40, output_tokens: 60, total_tokens: 100 }) {
    const events = [{ type: "response.created", response: { id: "resp_1", model: "gpt-oss-20b", output: [] } }];
    items.forEach((item, output_index) => {
        const { content, ...added } = item;
        events.push({ type: "response.output_item.added", output_index, item: { ...added, content: [] } });
        for (const part of content ?? []) {
            const type = part.type === "reasoning_text" ? "reasoning_text" : "output_text";
            events.push({
                type: `response.${type}.delta`,
                item_id: item.id,
                output_index,
                content_index: 0,
                delta: part.text,
            });
        }
        events.push({ type: "response.output_item.done", output_index, item });
    });
    events.push({ type: "response.completed", response: { id: "resp_1", status: "completed", output: items, usage } });
    return events;
}

export const message = (text, annotations = []) => ({
    id: `msg_${text.length}`,
    type: "message",
    status: "completed",
    role: "assistant",
    phase: "final_answer",
    content: [{ type: "output_text", text, annotations }],
});

export const thought = (text) => ({
    id: `rs_${text.length}`,
    type: "reasoning",
    status: "completed",
    summary: [],
    content: [{ type: "reasoning_text", text }],
});
