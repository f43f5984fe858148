/** The events of a stream of server-sent events, each a JSON value; "[DONE]" and comments are passed over. */
export async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let line = [];
    let data = [];
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) {
                return;
            }
            const parts = value.split("\n");
            for (let i = 0; i < parts.length; i++) {
                line.push(parts[i]);
                if (i + 1 === parts.length) {
                    break; // the rest of the line is still to come
                }
                const whole = line.join("").replace(/\r$/, "");
                line = [];
                if (whole.startsWith("data:")) {
                    data.push(whole.slice(5).trimStart());
                } else if (whole === "" && data.length > 0) {
                    const text = data.join("\n");
                    data = [];
                    if (text !== "[DONE]") {
                        yield JSON.parse(text);
                    }
                }
            }
        }
    } finally {
        reader.cancel().catch(() => {}); // closes the connection, which tells the server to stop
    }
}
