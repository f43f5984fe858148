package dev.ossicle.cli.terminal;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Calling;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;

/** All of one answer, for those who want to see it again, or more of it. */
final class Transcript {
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder all = new StringBuilder();
    private Class<? extends ChatEvent> last = Done.class;

    void add(ChatEvent event) {
        switch (event) {
            case Reading ignored -> {}
            case Calling ignored -> {}
            case Reasoning more -> {
                reasoning.append(more.text());
                part(Reasoning.class, "reasoning:\n", more.text());
            }
            case Text more -> {
                if (!more.preamble()) {
                    text.append(more.text());
                }
                part(Text.class, "answer:\n", more.text());
            }
            case ToolCall call -> {
                last = Done.class;
                part(ToolCall.class, "call of " + call.name() + ":\n", call.arguments());
            }
            case ToolResult result -> {
                last = Done.class;
                part(ToolResult.class, "result of " + result.name() + ":\n", result.output());
            }
            case Done ignored -> {}
        }
    }

    private void part(Class<? extends ChatEvent> kind, String label, String content) {
        if (last != kind) {
            all.append(all.isEmpty() ? "" : "\n\n").append(label);
            last = kind;
        }
        all.append(content);
    }

    String reasoning() {
        return reasoning.toString();
    }

    /** Without preambles of calls. */
    String text() {
        return text.toString();
    }

    /** Reasoning, calls, results and text, whole and in their order. */
    String all() {
        return all.toString();
    }
}
