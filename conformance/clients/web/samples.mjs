// What models say, and what hostile ones would.
import { message, thought } from "./browser.mjs";

/** A call of each tool, sources, a file. */
export function everyItem() {
    const text = "The stirrup weighs 3 mg ([bones.example](https://bones.example/stapes)) , as the plot shows.";
    const begin = text.indexOf(" (");
    return [
        thought("I should look this up.\nThen I plot it."),
        {
            id: "ws_1",
            type: "web_search_call",
            status: "completed",
            action: {
                type: "search",
                query: "weight of the stapes",
                sources: [
                    { type: "url", url: "https://bones.example/stapes" },
                    { type: "url", url: "javascript:alert(1)" },
                ],
            },
        },
        {
            id: "ws_2",
            type: "web_search_call",
            status: "failed",
            action: { type: "open_page", url: "https://gone.example/" },
        },
        {
            id: "mcp_1",
            type: "mcp_call",
            status: "completed",
            server_label: "library",
            name: "lend",
            arguments: '{"book": "Gray\'s Anatomy"}',
            output: "lent until Friday",
        },
        { id: "mcpl_1", type: "mcp_list_tools", server_label: "library", tools: [{ name: "lend" }, { name: "find" }] },
        {
            id: "fc_1",
            type: "function_call",
            call_id: "c1",
            name: "get_weather",
            arguments: '{"city":"Oslo"}',
            status: "completed",
        },
        {
            id: "ci_1",
            type: "code_interpreter_call",
            status: "completed",
            code: "print(2 ** 10)",
            container_id: "cntr_1",
            outputs: [{ type: "logs", logs: "1024\n" }],
        },
        { id: "new_1", type: "telepathy_call", status: "completed" },
        message(text, [
            {
                type: "url_citation",
                start_index: begin,
                end_index: text.indexOf(" ,") + 1,
                url: "https://bones.example/stapes",
                title: "The stapes",
            },
            { type: "url_citation", start_index: 900, end_index: 2, url: "javascript:alert(2)", title: "odd" },
            {
                type: "container_file_citation",
                container_id: "cntr_1",
                file_id: "cfile_1",
                filename: "<img src=x>.txt",
            },
        ]),
    ];
}

/** None of it may run, load, or leave the page. */
export const HOSTILE = [
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "<svg/onload=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<style>* { display: none }</style>",
    '<a href="javascript:window.hacked=1">click</a>',
    "[click](javascript:window.hacked=1)",
    "[click](JaVaScRiPt:window.hacked=1)",
    "[click](java&#x0A;script:window.hacked=1)",
    "[click](data:text/html,<script>window.hacked=1</script>)",
    "[click](vbscript:x) [file](file:///etc/passwd) [here](/v1/models)",
    "![x](https://tracker.example/pixel.png)",
    '![x](javascript:window.hacked=1 "onerror=alert(1)")',
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=1>",
    "<form action=https://evil.example><button>send</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    '```html"><script>window.hacked=1</script>\n</code></pre><script>window.hacked=1</script>\n```',
    "```\u0000__proto__\nx\n```",
    "| a |\n|---|\n| <script>window.hacked=1</script> |",
    "[r]\n\n[r]: javascript:window.hacked=1",
    'https://example.com/"onmouseover=window.hacked=1',
    "\ue0000\ue001 \ue0009999\ue001",
    "<sub><sup><kbd><script>window.hacked=1</script></kbd></sup></sub>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt; &#60;b&#62; &#x110000; &#0; &constructor; &toString;",
];

/** None of it may stop the page: name, text. */
export const HUGE = [
    ["a line of a megabyte", "x".repeat(1_000_000)],
    ["words without end", "word ".repeat(200_000)],
    ["emphasis", "_a_".repeat(30_000)],
    ["quotes in quotes", `${">".repeat(20_000)}x`],
    ["lists in lists", Array.from({ length: 400 }, (_, i) => `${" ".repeat(2 * i)}- x`).join("\n")],
    ["brackets", "[".repeat(50_000)],
    ["ticks", Array.from({ length: 300 }, (_, i) => "`".repeat(i)).join(" ")],
    ["a table", `|a|b|\n|-|-|\n${"|1|2|\n".repeat(3000)}`],
    ["code", `\`\`\`js\n${"let x = 1;\n".repeat(20_000)}\`\`\``],
    ["paragraphs", "A paragraph of **some** words.\n\n".repeat(4000)],
];

export const MARKDOWN = `## Three small bones

The **malleus**, the *incus* and the \`stapes\` carry sound ([Wikipedia](https://en.wikipedia.org/wiki/Ossicles)) from the eardrum.

| bone | shape | mass |
|:-----|:-----:|-----:|
| malleus | hammer | 23 mg |
| incus | anvil | 27 mg |
| stapes | stirrup | 3 mg |

1. Pressure moves the drum.
2. The bones act as a lever:
   - a gain of about 1.3
   - and an area ratio of 17

\`\`\`java
/** How much louder, in decibels. */
static double gain(double ratio) {
    return 20 * Math.log10(ratio); // 1.3 * 17 gives 27
}
\`\`\`

> The whole is smaller than a coin.

- [x] read
- [ ] understood

Formulas stay as they are: \\(p_2 = p_1 \\cdot a_1 / a_2\\), H<sub>2</sub>O, 5 &lt; 7.`;
