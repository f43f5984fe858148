package dev.ossicle.train;

import dev.ossicle.harmony.DeveloperContent;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.SystemContent;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.train.families.Dialogue;
import dev.ossicle.train.families.Dialogues;
import dev.ossicle.train.families.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Conversations as the tokens that a model sees, with what it should have said marked. */
final class Lessons {
    /** Within so many steps the easy conversations give way to all. */
    private static final double EASY_STEPS = 2500;

    private static final double LEAST_EASY = 0.1;

    private final HarmonyEncoding encoding;
    private final int end;
    private final int stop;
    /** Tokens of "start, assistant", which every prompt ends in. */
    private final int opening;

    Lessons(Tokenizer tokenizer) {
        encoding = new HarmonyEncoding(tokenizer);
        end = tokenizer.special("<|end|>").orElseThrow();
        stop = tokenizer.special("<|return|>").orElseThrow();
        opening = 1 + tokenizer.encodeOrdinary("assistant").length;
    }

    /** The batch of one step: the same for the same seed, whatever came before. */
    Batch batch(long seed, long step, int rows, int length) {
        double easy = Math.max(LEAST_EASY, 1 - (double) step / EASY_STEPS);
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(seed * 0x9E37_79B9_7F4A_7C15L + step), easy);
        return Packer.pack(() -> render(dialogues.next()), rows, length);
    }

    /**
     * As Harmony renders it for training, except that thoughts, and calls on their channel, are dropped before every answer
     * but the last. Only what the model would itself have said at that point is learnt: an answer whose thoughts were dropped
     * is not.
     */
    Example render(Dialogue dialogue) {
        Example.Builder tokens = new Example.Builder();
        boolean functions = !dialogue.functions().isEmpty();
        for (Message message : opening(dialogue)) {
            tokens.given(encoding.render(message, functions));
        }
        for (int i = 0; i < dialogue.turns().size(); i++) {
            add(dialogue.turns().get(i), i == dialogue.turns().size() - 1, tokens);
        }
        return tokens.build();
    }

    private void add(Turn turn, boolean last, Example.Builder tokens) {
        Turn.Call call = turn.call();
        boolean learnt = last || (turn.analysis().isEmpty() && (call == null || !call.isPython()));
        tokens.given(tokens(Message.of(Role.USER, turn.user())));
        boolean continues = false; // whether the model itself begins the next message
        if (last && !turn.analysis().isEmpty()) {
            said(tokens(answer(Message.ANALYSIS, turn.analysis())), false, true, tokens);
            continues = true;
        }
        if (call != null && (last || !call.isPython())) {
            String channel = call.isPython() ? Message.ANALYSIS : Message.COMMENTARY;
            Message calling = answer(channel, call.body()).withRecipient(call.recipient());
            said(
                    tokens(call.isPython() ? calling : calling.withContentType("<|constrain|>json")),
                    continues,
                    learnt,
                    tokens);
            tokens.given(tokens(Message.toolResult(call.recipient(), channel, call.result())));
            continues = false;
        }
        int[] answer = tokens(answer(Message.FINAL, turn.answer()));
        said(Arrays.copyOf(answer, answer.length - 1), continues, learnt, tokens);
        tokens.end(learnt, last ? stop : end, stop);
    }

    private void said(int[] message, boolean openingToo, boolean learnt, Example.Builder tokens) {
        tokens.add(openingToo && learnt, Arrays.copyOf(message, opening));
        tokens.add(learnt, Arrays.copyOfRange(message, opening, message.length));
    }

    private int[] tokens(Message message) {
        return encoding.render(message, false);
    }

    private static List<Message> opening(Dialogue dialogue) {
        List<Message> messages = new ArrayList<>();
        SystemContent system =
                SystemContent.DEFAULT.withReasoningEffort(dialogue.effort()).withConversationStartDate(dialogue.date());
        messages.add(Message.of(Role.SYSTEM, dialogue.python() ? system.withTools(ToolNamespace.python()) : system));
        DeveloperContent developer = DeveloperContent.of(dialogue.instructions());
        if (!dialogue.functions().isEmpty()) {
            messages.add(Message.of(Role.DEVELOPER, developer.withFunctionTools(dialogue.functions())));
        } else if (dialogue.instructions() != null) {
            messages.add(Message.of(Role.DEVELOPER, developer));
        }
        return messages;
    }

    private static Message answer(String channel, String text) {
        return Message.of(Role.ASSISTANT, text).withChannel(channel);
    }
}
