// What the server is asked: everything that was said before goes along, and the server keeps nothing, so that a conversation goes
// on after the server was started again.
import { shownAnswer, toolId } from "./conversation.js";

/**
 * The request for an answer to the turn at a place.
 *
 * @param offered the tools of the server
 * @param begun an answer that goes on, as after an approval; null for a new one
 */
export function request(conversation, place, offered, begun) {
    const input = [];
    conversation.turns.slice(0, place + 1).forEach((turn, i) => {
        input.push({ type: "message", role: "user", content: [{ type: "input_text", text: turn.question }] });
        const answer = i < place ? shownAnswer(turn) : begun;
        input.push(...(answer?.items ?? []).flatMap((item) => inputItem(item, i === place)));
    });
    const tools = offered.filter((tool) => conversation.tools.includes(toolId(tool)));
    return {
        ...(conversation.model ? { model: conversation.model } : {}),
        input,
        store: false,
        stream: true,
        reasoning: { effort: conversation.effort },
        ...(conversation.instructions.trim() ? { instructions: conversation.instructions } : {}),
        ...(tools.length > 0 ? { tools, include: ["web_search_call.action.sources"] } : {}),
        ...(conversation.schema.trim() ? { text: { format: schema(conversation.schema) } } : {}),
        ...conversation.sampling,
    };
}

const schema = (text) => ({ type: "json_schema", name: "answer", strict: true, schema: JSON.parse(text) });

/** @param current whether the user has said nothing since */
function inputItem({ began, ms, text, annotations, decided, ...item }, current) {
    switch (item.type) {
        case "message":
            return text === ""
                ? []
                : [{ type: "message", role: "assistant", phase: item.phase, content: [{ type: "output_text", text }] }];
        case "reasoning": // earlier thoughts stay out of the prompt, as gpt-oss was trained
            return current ? [{ type: "reasoning", summary: [], content: [{ type: "reasoning_text", text }] }] : [];
        case "code_interpreter_call":
        case "web_search_call":
            return item.status === "completed" || item.status === "failed" ? [item] : [];
        case "mcp_list_tools":
        case "mcp_call":
            return item.status === "incomplete" ? [] : [item];
        case "mcp_approval_request":
            return decided === undefined
                ? []
                : [item, { type: "mcp_approval_response", approval_request_id: item.id, approve: decided }];
        default:
            return []; // a call that nobody answers would wait for ever
    }
}
