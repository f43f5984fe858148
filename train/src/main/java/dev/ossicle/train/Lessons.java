package dev.ossicle.train;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.train.Dialogue.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** Conversations as the tokens that a model sees, with what it should have said marked. */
final class Lessons {
    private final Tokenizer tokenizer;
    private final int start;
    private final int channel;
    private final int message;
    private final int end;
    private final int stop;

    Lessons(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        start = special("<|start|>");
        channel = special("<|channel|>");
        message = special("<|message|>");
        end = special("<|end|>");
        stop = special("<|return|>");
    }

    private int special(String name) {
        return tokenizer.special(name).orElseThrow(() -> new IllegalArgumentException("the tokenizer has no " + name));
    }

    /** The batch of one step: the same for the same seed, whatever came before. */
    Batch batch(long seed, long step, int rows, int length) {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(seed * 0x9E37_79B9_7F4A_7C15L + step));
        return Packer.pack(() -> render(dialogues.next()), rows, length);
    }

    /** Every text of a conversation that is rendered. */
    static List<String> texts(Dialogue dialogue) {
        List<String> texts =
                new ArrayList<>(List.of("system", "user", "assistant", "analysis", "final", systemText(dialogue)));
        if (dialogue.instructions() != null) {
            texts.add("developer");
            texts.add(developerText(dialogue.instructions()));
        }
        for (Turn turn : dialogue.turns()) {
            texts.add(turn.user());
            texts.add(turn.analysis());
            texts.add(turn.answer());
        }
        return texts;
    }

    /**
     * As Harmony renders it for training, except that thoughts are dropped before every answer but the last. Only what the
     * model would itself have said at that point is learnt: an answer whose thoughts were dropped is not.
     */
    Example render(Dialogue dialogue) {
        Example.Builder tokens = new Example.Builder();
        given(tokens, "system", systemText(dialogue));
        if (dialogue.instructions() != null) {
            given(tokens, "developer", developerText(dialogue.instructions()));
        }
        for (int i = 0; i < dialogue.turns().size(); i++) {
            Turn turn = dialogue.turns().get(i);
            boolean last = i == dialogue.turns().size() - 1;
            boolean thinks = !turn.analysis().isEmpty();
            boolean learnt = last || !thinks;
            given(tokens, "user", turn.user());
            tokens.given(start).given(encode("assistant"));
            if (last && thinks) {
                said(tokens, true, "analysis", turn.analysis());
                tokens.add(true, end).add(true, start).add(true, encode("assistant"));
            }
            said(tokens, learnt, "final", turn.answer());
            tokens.end(learnt, last ? stop : end, stop);
        }
        return tokens.build();
    }

    private void given(Example.Builder tokens, String role, String text) {
        tokens.given(start)
                .given(encode(role))
                .given(message)
                .given(encode(text))
                .given(end);
    }

    private void said(Example.Builder tokens, boolean learnt, String name, String text) {
        tokens.add(learnt, channel)
                .add(learnt, encode(name))
                .add(learnt, message)
                .add(learnt, encode(text));
    }

    private int[] encode(String text) {
        return tokenizer.encodeOrdinary(text);
    }

    private static String systemText(Dialogue dialogue) {
        return "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n"
                + (dialogue.date() == null ? "" : "Current date: " + dialogue.date() + "\n")
                + "\nReasoning: " + dialogue.effort().name().toLowerCase(Locale.ROOT)
                + "\n\n# Valid channels: analysis, commentary, final. Channel must be included for every message.";
    }

    private static String developerText(String instructions) {
        return "# Instructions\n\n" + instructions;
    }
}
