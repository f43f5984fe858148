package dev.ossicle.harmony;

import dev.ossicle.harmony.internal.IntList;
import dev.ossicle.harmony.tokenizer.Tokenizer;

/** Writes messages as tokens. Text never makes a control token. */
final class Renderer {
    private final Tokenizer tokenizer;
    private final ControlTokens control;
    private final IntList out = new IntList(256);

    Renderer(Tokenizer tokenizer, ControlTokens control) {
        this.tokenizer = tokenizer;
        this.control = control;
    }

    int[] tokens() {
        return out.toArray();
    }

    void conversation(Conversation conversation, boolean autoDropAnalysis) {
        int firstFinal = autoDropAnalysis ? firstFinal(conversation) : -1;
        boolean functionTools = conversation.hasFunctionTools();
        for (int i = 0; i < conversation.messages().size(); i++) {
            Message message = conversation.messages().get(i);
            if (i >= firstFinal || !Message.ANALYSIS.equals(message.channel())) {
                message(message, functionTools);
            }
        }
    }

    /** Analysis before it is dropped: the first final message, or -1 if the last assistant message is not final. */
    private static int firstFinal(Conversation conversation) {
        int first = -1;
        boolean lastIsFinal = false;
        for (int i = 0; i < conversation.messages().size(); i++) {
            Message message = conversation.messages().get(i);
            boolean isFinal = Message.FINAL.equals(message.channel());
            if (isFinal && first < 0) {
                first = i;
            }
            if (message.role() == Role.ASSISTANT) {
                lastIsFinal = isFinal;
            }
        }
        return lastIsFinal ? first : -1;
    }

    void message(Message message, boolean conversationHasFunctionTools) {
        out.add(control.start());
        if (message.role() == Role.TOOL) {
            if (message.name() == null) {
                throw new HarmonyException("Tools should have a name!");
            }
            text(message.name());
        } else {
            text(message.role().text());
            if (message.name() != null) {
                text(":" + message.name());
            }
        }
        if (message.recipient() != null && !message.recipient().equals("all")) {
            text(" to=" + message.recipient());
        }
        if (message.channel() != null) {
            out.add(control.channel());
            text(message.channel());
        }
        if (message.contentType() != null) {
            contentType(message.contentType());
        }
        out.add(control.message());
        for (Content part : message.content()) {
            content(part, message.role(), conversationHasFunctionTools);
        }
        out.add(message.role() == Role.ASSISTANT && message.recipient() != null ? control.call() : control.end());
    }

    private void contentType(String contentType) {
        if (contentType.startsWith(ControlTokens.CONSTRAIN)) {
            text(" ");
            out.add(control.constrain());
            text(contentType.substring(ControlTokens.CONSTRAIN.length()));
        } else {
            text(" " + contentType);
        }
    }

    private void content(Content part, Role role, boolean conversationHasFunctionTools) {
        switch (part) {
            case TextContent plain -> text(plain.text());
            case SystemContent system -> {
                expect(Role.SYSTEM, role, "system content");
                text(ContentText.of(system, conversationHasFunctionTools));
            }
            case DeveloperContent developer -> {
                expect(Role.DEVELOPER, role, "developer content");
                text(ContentText.of(developer));
            }
        }
    }

    private static void expect(Role expected, Role role, String what) {
        if (role != expected) {
            throw new HarmonyException(what + " may only stand in a " + expected.text() + " message, not in a "
                    + role.text() + " message");
        }
    }

    void startOf(Role role) {
        out.add(control.start());
        text(role.text());
    }

    /** What the model wrote where history has an end, if the last message is its answer. */
    void returnAtEnd(Conversation conversation) {
        Message last = conversation.messages().isEmpty()
                ? null
                : conversation.messages().getLast();
        if (last != null && last.role() == Role.ASSISTANT && Message.FINAL.equals(last.channel()) && out.size() > 0) {
            out.set(out.size() - 1, control.ret());
        }
    }

    private void text(String text) {
        out.addAll(tokenizer.encodeOrdinary(text));
    }
}
