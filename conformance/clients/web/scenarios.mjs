// What a user does with the page, each with a browser of its own.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
    answer,
    ask,
    beginAnew,
    line,
    message,
    question,
    responseOf,
    scripted,
    settled,
    thought,
    withPage,
    write,
} from "./browser.mjs";
import { HOSTILE, HUGE, MARKDOWN, everyItem } from "./samples.mjs";

const PLOT = "Plot a damped wave. How often does it cross zero?";
const NETWORK = /Failed to load resource|net::ERR/;
const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Asks, watches the answer come, asks on, comes back later. */
export async function converses(address) {
    await withPage(address, {}, async (page) => {
        await page.getByRole("heading", { name: "What would you like to know?" }).waitFor();
        await ask(page, "Hello there");
        await answer(page).getByText("Question 1: You said Hello there.").waitFor();
        const thoughts = answer(page).locator("details.reasoning");
        assert.equal(await thoughts.getAttribute("open"), null, "thoughts are folded");
        await thoughts.locator("summary").click();
        await thoughts.getByText("The user speaks.").waitFor();
        assert.match(await answer(page).locator(".facts").innerText(), /gpt-oss-20b · medium effort · \d+ tokens/);
        await ask(page, "And again");
        await answer(page).getByText("Question 2: You said And again.").waitFor();
        await page
            .getByText(/of context|%/)
            .first()
            .waitFor();

        await page.reload();
        await answer(page).getByText("Question 2").waitFor();
        assert.equal(await page.getByRole("article", { name: "Answer" }).count(), 2);
        await ask(page, "Third");
        await answer(page).getByText("Question 3").waitFor();

        await button(page, "Show what the model thinks").click();
        await thoughts.waitFor({ state: "detached" });
    });
}

/** Many conversations: their names, search, files, and nothing lost. */
export async function keeps(address) {
    await withPage(address, { acceptDownloads: true }, async (page, context) => {
        for (const name of ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]) {
            await ask(page, `${name} question`);
            await beginAnew(page);
        }
        const list = page.getByRole("navigation", { name: "Conversations" });
        const titles = async () => (await list.getByRole("link").allInnerTexts()).map((title) => title.trim());
        assert.equal((await titles()).length, 5);

        await page.getByRole("searchbox").fill("said gamma");
        assert.deepEqual(await titles(), ["Gamma question"]);
        await page.getByRole("searchbox").fill("");

        await list.getByRole("link", { name: "Beta question" }).click();
        await answer(page).getByText("You said Beta question").waitFor();
        await button(page, "Rename “Beta question”").click();
        await page.getByRole("textbox", { name: "Name of the conversation" }).fill("Renamed");
        await page.keyboard.press("Enter");
        await list.getByRole("link", { name: "Renamed" }).waitFor();

        await button(page, "Delete “Renamed”").click();
        await list.getByRole("link", { name: "Renamed" }).waitFor({ state: "detached" });
        await button(page, "Undo").click();
        await list.getByRole("link", { name: "Renamed" }).waitFor();

        const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Export all").click()]);
        const file = await download.path();
        const exported = JSON.parse(await readFile(file, "utf8"));
        assert.equal(exported.conversations.length, 5);
        await button(page, "Settings").click();
        await button(page, "Delete all conversations").click();
        await button(page, "Close").click();
        await page.waitForFunction(() => document.querySelectorAll(".sidebar li").length === 0);

        const choose = async (content) => {
            await page.locator("input[type=file]").setInputFiles({
                name: "some.json",
                mimeType: "application/json",
                buffer: Buffer.from(content),
            });
        };
        for (const [content, complaint] of [
            ["no json", "not JSON"],
            ["{}", "no conversations"],
            [
                '{"format": "ossicle-conversations", "conversations": [{"turns": [{"question": 5}]}]}',
                "conversations[0].turns[0].question",
            ],
        ]) {
            await choose(content);
            await page.locator(".toast").getByText(complaint).waitFor();
        }
        await choose(JSON.stringify(exported));
        await list.getByRole("link", { name: "Renamed" }).click();
        await answer(page).getByText("You said Beta question").waitFor();
        await page.reload();
        await answer(page).getByText("You said Beta question").waitFor();
        assert.equal((await titles()).length, 5);

        const other = await context.newPage(); // what another tab does is seen
        await other.goto(page.url());
        await other.getByRole("link", { name: "Renamed" }).waitFor();
        await button(other, "Delete “Renamed”").click();
        await list.getByRole("link", { name: "Renamed" }).waitFor({ state: "detached" });
    });
}

/** Stops, asks again, in other words. */
export async function changesItsMind(address) {
    await withPage(address, {}, async (page) => {
        await write(page, "count slowly");
        await answer(page).getByText("12 13").waitFor(); // it comes while it is made
        assert.equal(await answer(page).getAttribute("aria-busy"), "true");
        await page.keyboard.press("Escape");
        await answer(page).getByText("Stopped.").waitFor();
        await answer(page).getByText("12 13").waitFor();

        await button(page, "Answer again").click();
        await answer(page).getByText("12 13").waitFor();
        await button(page, "Stop (Esc)").click();
        await answer(page).getByText("2 of 2").waitFor();
        await button(page, "Answer before").click();
        await answer(page).getByText("1 of 2").waitFor();

        await page.getByRole("heading", { name: "count slowly", level: 2 }).hover();
        await button(page, "Edit and ask again").click();
        await page.getByRole("textbox", { name: "The question, in other words" }).fill("count no more");
        await page.keyboard.press("Enter");
        await answer(page).getByText("You said count no more.").waitFor();
        assert.equal(await page.getByRole("article", { name: "Answer" }).count(), 1);
        await button(page, "Undo").click();
        await answer(page).getByText("12 13").waitFor();

        // A line of its own, and nothing is sent by it.
        await question(page).fill("one");
        await page.keyboard.press("Shift+Enter");
        await page.keyboard.type("two");
        assert.equal(await question(page).inputValue(), "one\ntwo");
        await page.reload();
        assert.equal(await question(page).inputValue(), "one\ntwo", "what was being written is there");
    });
}

/** Whatever can be set arrives. */
export async function sets(address) {
    await withPage(address, {}, async (page) => {
        const sent = [];
        page.on("request", (request) => request.url().endsWith("/v1/responses") && sent.push(request.postDataJSON()));
        await page.getByRole("radio", { name: "high" }).check();
        await ask(page, "Which effort?");
        await answer(page).getByText("The effort is high.").waitFor();

        await page.getByRole("heading", { name: "Which effort?", level: 2 }).click();
        await page.keyboard.press("s");
        await page.getByLabel("Instructions to the model").fill("Speak like a pirate.");
        await page.getByLabel("Temperature").fill("0.5");
        await page.getByLabel("Top-p").fill("7"); // is not taken
        await page.getByLabel("Seed").fill("42");
        await page.getByLabel("Tokens at most").fill("4000");
        const schema = page.getByLabel("JSON Schema that answers obey");
        await schema.fill('{"type": ');
        await page.locator("#schema-problem").getByText(/JSON/).waitFor();
        await schema.fill('{"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"]}');
        await page.keyboard.press("Escape");
        await ask(page, "as JSON");
        assert.deepEqual(JSON.parse(await answer(page).locator(".markdown").innerText()), { said: "as JSON" });
        const last = sent.at(-1);
        assert.equal(last.instructions, "Speak like a pirate.");
        assert.equal(last.temperature, 0.5);
        assert.equal(last.top_p, undefined);
        assert.equal(last.seed, 42);
        assert.equal(last.max_output_tokens, 4000);
        assert.equal(last.store, false);
        assert.equal(last.reasoning.effort, "high");
        assert.equal(last.input.filter((item) => item.role === "user").length, 2);

        // A new conversation starts with the same, but for the schema.
        await beginAnew(page);
        await ask(page, "Which effort?");
        await answer(page).getByText("The effort is high.").waitFor();
        assert.equal(sent.at(-1).text, undefined);
        assert.equal(sent.at(-1).seed, 42);

        await button(page, "Appearance: system").click();
        await button(page, "Appearance: light").click();
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
        await page.reload();
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    });
}

/** Python on the server: its code, what it printed, its file. */
export async function usesTools(address) {
    await withPage(address, { acceptDownloads: true, expected: /404/ }, async (page) => {
        await ask(page, PLOT);
        await answer(page).getByText("No python here.").waitFor();
        await button(page, "Python").click();
        await ask(page, PLOT);
        await answer(page).getByText("It crosses zero 4 times").waitFor();
        const card = answer(page).locator("details.card");
        await card.locator("summary").click();
        await card.locator("code").getByText("np.linspace").waitFor();
        await card.locator("code .hljs-keyword").first().waitFor(); // coloured
        await card.locator(".output").getByText("4").waitFor();
        await answer(page).locator(".file img").waitFor();
        const save = answer(page).getByRole("button", { name: /Save plot.png/ });
        const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
        assert.equal(download.suggestedFilename(), "plot.png");
        await page.reload();
        await answer(page).getByText("It crosses zero 4 times").waitFor();
        await answer(page).locator(".file img").waitFor();

        await page.route("**/v1/containers/**", (route) =>
            route.fulfill({ status: 404, json: { error: { message: "no file" } } }),
        );
        await scripted(page, responseOf(everyItem()));
        await ask(page, "everything");
        const last = answer(page);
        for (const name of [
            "Searches for",
            "Opens",
            "library: lend",
            "Tools of library",
            "Calls get_weather",
            "telepathy_call",
        ]) {
            await last.locator("summary").getByText(name).waitFor();
        }
        await last.getByRole("link", { name: "Source 1: The stapes" }).waitFor();
        assert.equal(await last.locator("sup.citation a").getAttribute("rel"), "noopener noreferrer");
        assert.match(await last.locator(".markdown").innerText(), /3 mg\s*1\s*, as the plot/);
        await last.locator(".sources").getByRole("link", { name: "The stapes" }).waitFor();
        await last.getByText("cannot be had any more: no file").waitFor();
        await ask(page, "and on"); // the server takes it all back
        await answer(page).getByText("Question 4: You said and on.").waitFor();
    });
}

/** The tools of an MCP server: named, switched on, and asked about before they are called. */
export async function approves(address) {
    await withPage(address, {}, async (page) => {
        await page.route("**/v1/models", async (route) => {
            const response = await route.fetch();
            const body = await response.json();
            await route.fulfill({ response, json: { ...body, tools: [{ type: "mcp", server_label: "library" }] } });
        });
        await page.reload();
        await button(page, "library").click();
        const sent = [];
        page.on("request", (request) => request.url().endsWith("/v1/responses") && sent.push(request.postDataJSON()));
        const asks = (id) => ({
            id,
            type: "mcp_approval_request",
            server_label: "library",
            name: "lend",
            arguments: '{"book":"Gray"}',
        });
        await scripted(page, responseOf([thought("I lend it."), asks("mcpr_1"), asks("mcpr_2")]));
        await ask(page, "Lend me Gray.");
        assert.deepEqual(sent[0].tools, [{ type: "mcp", server_label: "library" }]);
        await page.reload(); // it can be decided later
        await answer(page).getByRole("button", { name: "Allow" }).first().click();
        await answer(page).getByText("allowed").waitFor();
        await scripted(page, responseOf([message("It is lent.")]));
        await answer(page).getByRole("button", { name: "Decline" }).click();
        await answer(page).getByText("It is lent.").waitFor();
        await answer(page).getByText("allowed").waitFor();
        assert.deepEqual(
            sent[1].input.map((item) => item.type),
            [
                "message",
                "reasoning",
                "mcp_approval_request",
                "mcp_approval_response",
                "mcp_approval_request",
                "mcp_approval_response",
            ],
        );
        assert.deepEqual(sent[1].input[3], {
            type: "mcp_approval_response",
            approval_request_id: "mcpr_1",
            approve: true,
        });
        assert.equal(sent[1].input[5].approve, false);
        await page.unroute("**/v1/models");
        await button(page, "library").click(); // there is no such server: none of its tools can be offered
        await ask(page, "Thanks");
        await answer(page).getByText("Question 2: You said Thanks.").waitFor();
    });
}

/** The line to the server breaks in the middle of an answer, and before one. */
export async function losesTheServer(address) {
    const cable = await line(address);
    try {
        await withPage(cable.address, { expected: NETWORK }, async (page) => {
            await write(page, "count slowly");
            await answer(page).getByText("12 13").waitFor();
            cable.cut();
            await answer(page).getByText("The connection to the server was lost. What had come is kept.").waitFor();
            await answer(page).getByText("12 13").waitFor();
            await page.getByText("The server does not answer.").waitFor();
            await ask(page, "Are you there?");
            await answer(page).getByText("The connection to the server was lost.").waitFor();
            cable.mend();
            await page.getByText("The server does not answer.").waitFor({ state: "detached" });
            await answer(page).getByRole("button", { name: "Ask again" }).click();
            await answer(page).getByText("Question 2: You said Are you there?.").waitFor();
            assert.equal(await answer(page).getByText("2 of 2").count(), 0, "what never began is not kept");

            await page.route(
                "**/v1/responses",
                (route) => route.fulfill({ status: 429, json: { error: { message: "too many at once" } } }),
                { times: 1 },
            );
            await ask(page, "Busy?");
            await answer(page).getByText("too many at once").waitFor();
            await answer(page).getByRole("button", { name: "Try again" }).click();
            await answer(page).getByText("You said Busy?.").waitFor();

            await beginAnew(page);
            await ask(page, "x".repeat(66_000));
            await answer(page).getByText("Begin a new conversation").waitFor();
            await beginAnew(page);

            // The page itself is closed in the middle.
            await write(page, "count slowly");
            await answer(page).getByText("12 13").waitFor();
            await page.waitForTimeout(1000); // kept every now and then
            await page.reload();
            await answer(page).getByText("The page was closed before the answer was complete.").waitFor();
            await answer(page).getByText("12 13").waitFor();
        });
    } finally {
        cable.close();
    }
}

/** This server has a key. */
export async function needsAKey(address) {
    await withPage(address, { expected: /401/ }, async (page, context) => {
        const dialog = page.getByRole("dialog", { name: "This server needs a key" });
        await dialog.getByLabel("Key", { exact: true }).fill("wrong");
        await page.keyboard.press("Enter");
        await dialog.getByText("the key is not one of this server's").waitFor();
        await dialog.getByLabel("Key", { exact: true }).fill("secret");
        await button(dialog, "Go on").click();
        await dialog.waitFor({ state: "detached" });
        await ask(page, "Hello");
        await answer(page).getByText("You said Hello.").waitFor();
        assert.equal(await page.evaluate(() => localStorage.getItem("ossicle.key")), null);
        await page.reload();
        await ask(page, "Still there");
        await answer(page).getByText("You said Still there.").waitFor();
        const other = await context.newPage();
        await other.goto(address);
        await other.getByRole("dialog", { name: "This server needs a key" }).waitFor(); // another tab does not know it
        await other.getByLabel("Key", { exact: true }).fill("secret");
        await other.getByLabel("Remember it on this computer").check();
        await button(other, "Go on").click();
        await question(other).waitFor();
        await other.getByRole("combobox", { name: "Model" }).waitFor();
        await button(other, "Settings").click();
        await button(other, "Forget the key").click();
        await other.getByRole("dialog", { name: "This server needs a key" }).waitFor();
        assert.equal(await other.evaluate(() => localStorage.getItem("ossicle.key")), null);
    });
}

/** Nothing that a model says runs, loads or stops anything. */
export async function survivesHostileAnswers(address) {
    await withPage(address, { expected: /TrustedHTML/ }, async (page) => {
        await page.evaluate(() => {
            window.tasks = [];
            new PerformanceObserver((list) =>
                window.tasks.push(...list.getEntries().map((one) => one.duration)),
            ).observe({ type: "longtask" });
        });
        await scripted(page, responseOf([thought(HOSTILE.join("\n")), message(HOSTILE.join("\n\n"))]));
        await ask(page, HOSTILE[0]);
        for (const hostile of HOSTILE.slice(0, 6)) {
            assert.ok(
                (await answer(page).locator(".markdown").innerText()).includes(hostile),
                `${hostile} is shown as text`,
            );
        }
        const links = await answer(page)
            .locator("a")
            .evaluateAll((all) => all.map((a) => [a.protocol, a.rel, a.target]));
        assert.ok(links.length >= 2);
        for (const link of links) {
            assert.deepEqual(link, ["https:", "noopener noreferrer", "_blank"]);
        }
        assert.equal(
            await page.locator("#app :is(script, iframe, svg[onload], style, form:not(.composer), base, meta)").count(),
            0,
        );
        assert.equal(await answer(page).locator(".said img").count(), 0);
        for (const text of HOSTILE) {
            await scripted(page, responseOf([message(text)]));
            await ask(page, "again");
        }
        await answer(page).getByText("<script>window.hacked=1</script> <b>").waitFor();
        await answer(page).getByText("&constructor; &toString;").waitFor();
        assert.equal(await page.evaluate(() => window.hacked), undefined);
        // The browser refuses what a fault of ours might try.
        const refused = await page.evaluate(() => {
            try {
                document.body.innerHTML = "<b>x</b>";
                return false;
            } catch {
                return true;
            }
        });
        assert.ok(refused, "no text becomes HTML");
        await beginAnew(page);
        const longest = () => page.evaluate(() => Math.round(Math.max(0, ...window.tasks.splice(0))));
        for (const [name, text] of HUGE) {
            await scripted(page, responseOf([message(text)]));
            await longest();
            await ask(page, name);
            await page.evaluate(() => new Promise(requestAnimationFrame));
            const took = await longest();
            console.log(`${name}, ${text.length} characters: blocks for ${took} ms`);
            assert.ok(took < 10_000, `${name} blocks for ${took} ms`); // speeds are measured here, not asserted
        }
        // Long answers in many pieces: the page answers to the user meanwhile.
        const pieces = Array.from({ length: 3000 }, (_, i) => `word${i} **b** \`c\`\n\n`);
        const events = responseOf([message(pieces.join(""))]);
        const delta = events.findIndex((event) => event.type === "response.output_text.delta");
        events.splice(delta, 1, ...pieces.map((piece) => ({ ...events[delta], delta: piece })));
        await scripted(page, events);
        await ask(page, "pieces");
        await answer(page).getByText("word2999").waitFor();
        console.log(`an answer in 3000 pieces: blocks for ${await longest()} ms`);
    });
}

/** For those who do not see it, or do not use a mouse. */
export async function isAccessible(address) {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const check = async (page, what) => {
        const violations = await page.evaluate(async () => (await window.axe.run(document)).violations);
        const found = violations.map(
            (one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join("; ")}`,
        );
        assert.deepEqual(found, [], what);
    };
    for (const [colorScheme, width] of [
        ["light", 1200],
        ["dark", 1200],
        ["light", 360],
    ]) {
        await withPage(address, { colorScheme, viewport: { width, height: 740 }, bypassCSP: true }, async (page) => {
            const fits = async (what) =>
                assert.ok(
                    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
                    `${what} fits ${width} pixels`,
                );
            await page.getByRole("combobox", { name: "Model" }).waitFor();
            await page.evaluate(axe);
            await check(page, `first page, ${colorScheme}, ${width}`);
            await fits("the first page");
            await scripted(page, responseOf([thought("Hm."), message(MARKDOWN)]));
            await ask(page, "markdown");
            await scripted(page, responseOf(everyItem().filter((item) => item.type !== "message")));
            await ask(page, "tools");
            await page.locator("summary").evaluateAll((all) => all.forEach((one) => (one.parentElement.open = true)));
            await check(page, `a conversation, ${colorScheme}, ${width}`);
            await fits("a conversation");
            for (const dialog of ["settings", "shortcuts"]) {
                await page.locator(".transcript").focus();
                await page.keyboard.press(dialog === "settings" ? "s" : "?");
                await page.getByRole("dialog").waitFor();
                await check(page, `${dialog}, ${colorScheme}, ${width}`);
                await fits(dialog);
                await page.keyboard.press("Escape");
                await page.getByRole("dialog").waitFor({ state: "detached" });
            }
            if (width < 500) {
                await button(page, "Conversations").click();
                await page.getByRole("navigation", { name: "Conversations" }).waitFor();
                await check(page, "the drawer");
                await page.keyboard.press("Escape");
                await page.getByRole("navigation", { name: "Conversations" }).waitFor({ state: "hidden" });
            }
            await reachable(page);
        });
    }
}

/** Every control has a name, and Tab comes to it. */
async function reachable(page) {
    const controls = "button:enabled, input, select, textarea, a[href], summary";
    const all = await page.locator(controls).evaluateAll((list) =>
        list
            .filter((one) => one.checkVisibility() && one.tabIndex >= 0 && !(one.type === "radio" && !one.checked))
            .map((one, i) => {
                one.dataset.reach = i;
                return one.outerHTML.slice(0, 120);
            }),
    );
    const reached = new Set();
    await page.evaluate(() => document.activeElement?.blur());
    for (let i = 0; i < all.length + 60; i++) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(() => document.activeElement?.dataset?.reach);
        if (at !== undefined) {
            reached.add(Number(at));
        }
    }
    assert.deepEqual(
        all.filter((_, i) => !reached.has(i)),
        [],
        "Tab comes to every control",
    );
}

/** Small, and there at once. */
export async function isQuick(address) {
    await withPage(address, {}, async (page) => {
        await page.getByRole("combobox", { name: "Model" }).waitFor();
        const measured = [];
        for (let i = 0; i < 3; i++) {
            await page.reload();
            await page.getByRole("combobox", { name: "Model" }).waitFor();
            measured.push(
                await page.evaluate(() => ({
                    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
                    loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
                    files: performance.getEntriesByType("resource").length,
                })),
            );
        }
        const sizes = await page.evaluate(async () => {
            const files = performance.getEntriesByType("resource").filter((one) => one.name.includes("/web/"));
            return Promise.all(files.map(async (one) => (await (await fetch(one.name)).blob()).size));
        });
        const paint = Math.min(...measured.map((one) => one.paint));
        const bytes = sizes.reduce((sum, size) => sum + size, 0);
        console.log(
            `first paint ${measured.map((one) => Math.round(one.paint)).join(", ")} ms, ready ${Math.round(measured[0].loaded)} ms, ${sizes.length} files, ${bytes} bytes`,
        );
        assert.ok(bytes < 500_000, `${bytes} bytes`);
        assert.ok(paint < 10_000, `${paint} ms`); // speeds are measured here, not asserted
    });
}

/** Pictures of it, for the eye. */
export async function isSeen(address) {
    const folder = "../target/screenshots";
    await mkdir(folder, { recursive: true });
    const shoot = (page, name) => page.screenshot({ path: `${folder}/${name}.png` });
    for (const colorScheme of ["light", "dark"]) {
        for (const [size, viewport] of [
            ["wide", { width: 1120, height: 860 }],
            ["narrow", { width: 360, height: 740 }],
        ]) {
            await withPage(address, { colorScheme, viewport, expected: NETWORK }, async (page) => {
                const name = (what) => `${what}-${colorScheme}-${size}`;
                await page.getByRole("combobox", { name: "Model" }).waitFor();
                await shoot(page, name("first"));
                await page.route("**/v1/models", async (route) => {
                    const response = await route.fetch();
                    const body = await response.json();
                    await route.fulfill({ response, json: { ...body, data: [{ ...body.data[0], id: "nano" }] } });
                });
                await page.reload();
                await page.getByRole("heading", { name: "This is nano." }).waitFor();
                await shoot(page, name("nano"));
                await page.unroute("**/v1/models");
                await page.reload();
                await page.getByRole("combobox", { name: "Model" }).waitFor();
                await page.evaluate(() => {
                    const sheet = new CSSStyleSheet();
                    sheet.replaceSync(".facts { visibility: hidden }"); // a script's speed would be taken for the model's
                    document.adoptedStyleSheets = [sheet];
                });
                await button(page, "Python").click();
                await scripted(
                    page,
                    responseOf([thought("Three bones: hammer, anvil, stirrup."), message(MARKDOWN)], {
                        input_tokens: 900,
                        output_tokens: 412,
                        total_tokens: 1312,
                    }),
                );
                await ask(page, "How do the small bones of the ear make sound louder?");
                await page.locator(".hljs-comment").first().waitFor();
                await shoot(page, name("answer"));
                await page.locator(".transcript").evaluate((box) => box.scrollTo(0, 0));
                await shoot(page, name("answer-top"));
                await ask(page, PLOT);
                await answer(page).locator(".card summary").click();
                await answer(page).locator(".hljs-keyword").first().waitFor();
                await answer(page).locator(".file img").waitFor();
                await page
                    .locator(".turn")
                    .last()
                    .evaluate((turn) => turn.scrollIntoView());
                await shoot(page, name("tool"));
                await scripted(page, responseOf(everyItem().slice(0, 5)));
                await ask(page, "Look up how heavy the stirrup is, and lend me the book.");
                await page.locator(".transcript").evaluate((box) => box.scrollTo(0, box.scrollHeight));
                await shoot(page, name("search"));
                await page.route("**/v1/responses", (route) => route.abort(), { times: 1 });
                await ask(page, "Are you still there?");
                await shoot(page, name("error"));
                await page.locator(".transcript").focus();
                await page.keyboard.press("s");
                await shoot(page, name("settings"));
                await page.keyboard.press("Escape");
                await page.keyboard.press("?");
                await shoot(page, name("keys"));
                await page.keyboard.press("Escape");
                if (size === "narrow") {
                    await button(page, "Conversations").click();
                    await shoot(page, name("drawer"));
                }
            });
        }
    }
}
