package dev.ossicle.train;

import dev.ossicle.harmony.DeveloperContent;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.SystemContent;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.train.Dialogue.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Conversations as the tokens that a model sees, with what it should have said marked. */
final class Lessons {
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
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(seed * 0x9E37_79B9_7F4A_7C15L + step));
        return Packer.pack(() -> render(dialogues.next()), rows, length);
    }

    /**
     * As Harmony renders it for training, except that thoughts are dropped before every answer but the last. Only what the
     * model would itself have said at that point is learnt: an answer whose thoughts were dropped is not.
     */
    Example render(Dialogue dialogue) {
        Example.Builder tokens = new Example.Builder();
        for (Message message : opening(dialogue)) {
            tokens.given(tokens(message));
        }
        for (int i = 0; i < dialogue.turns().size(); i++) {
            Turn turn = dialogue.turns().get(i);
            boolean last = i == dialogue.turns().size() - 1;
            boolean thinks = !turn.analysis().isEmpty();
            boolean learnt = last || !thinks;
            tokens.given(tokens(Message.of(Role.USER, turn.user())));
            if (last && thinks) {
                int[] analysis = tokens(answer(Message.ANALYSIS, turn.analysis()));
                tokens.given(Arrays.copyOf(analysis, opening));
                tokens.add(true, Arrays.copyOfRange(analysis, opening, analysis.length));
            }
            int[] answer = tokens(answer(Message.FINAL, turn.answer()));
            tokens.add(last && thinks, Arrays.copyOf(answer, opening));
            tokens.add(learnt, Arrays.copyOfRange(answer, opening, answer.length - 1));
            tokens.end(learnt, last ? stop : end, stop);
        }
        return tokens.build();
    }

    private int[] tokens(Message message) {
        return encoding.render(message, false);
    }

    private static List<Message> opening(Dialogue dialogue) {
        List<Message> messages = new ArrayList<>();
        messages.add(Message.of(
                Role.SYSTEM,
                SystemContent.DEFAULT
                        .withReasoningEffort(dialogue.effort())
                        .withConversationStartDate(dialogue.date())));
        if (dialogue.instructions() != null) {
            messages.add(Message.of(Role.DEVELOPER, DeveloperContent.of(dialogue.instructions())));
        }
        return messages;
    }

    private static Message answer(String channel, String text) {
        return Message.of(Role.ASSISTANT, text).withChannel(channel);
    }
}
