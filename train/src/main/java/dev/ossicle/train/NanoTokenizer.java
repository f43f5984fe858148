package dev.ossicle.train;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/** The nano model's tokenizer, learnt from the conversations that it is taught. */
final class NanoTokenizer {
    /** Tokens in all, special ones included. */
    static final int VOCABULARY = 960;

    private static final int DIALOGUES = 20_000;
    private static final long SEED = 1;

    /** Those that Harmony and the published tokenizer name. */
    private static final List<String> SPECIAL = List.of(
            "<|startoftext|>",
            "<|endoftext|>",
            "<|return|>",
            "<|constrain|>",
            "<|channel|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|call|>");

    /**
     * The lines of Harmony's usual system message are one piece each, which makes the message 19 tokens and not 63; the rest
     * is o200k's pattern with digits on their own, so that the model can see what it adds.
     */
    static final String SPLIT_PATTERN = String.join(
            "|",
            "You are ChatGPT, a large language model trained by OpenAI\\.",
            "Knowledge cutoff: 2024-06",
            "Current date: ",
            "Reasoning: (?:low|medium|high)",
            "# Valid channels: analysis, commentary, final\\. Channel must be included for every message\\.",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "\\p{N}",
            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
            "\\s*[\\r\\n]+",
            "\\s+(?!\\S)",
            "\\s+");

    private NanoTokenizer() {}

    /** Always the same one, until what the model is taught changes. */
    static Tokenizer train() {
        Pattern split = Pattern.compile(SPLIT_PATTERN, Pattern.UNICODE_CHARACTER_CLASS);
        BpeTrainer.Result learnt = new BpeTrainer(split).train(texts(), VOCABULARY - SPECIAL.size());
        Tokenizer.Builder builder = Tokenizer.builder().splitPattern(SPLIT_PATTERN);
        for (int id = 0; id < learnt.tokens().size(); id++) {
            builder.token(id, learnt.tokens().get(id));
        }
        for (BpeTrainer.Pair pair : learnt.merges()) {
            builder.merge(pair.left(), pair.right());
        }
        return special(builder, learnt.tokens().size()).build();
    }

    /** What stands between special tokens in rendered conversations. */
    private static List<String> texts() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int b = 0; b < 256; b++) {
            builder.token(b, new byte[] {(byte) b});
        }
        Tokenizer bytes = special(builder, 256).build();
        Lessons lessons = new Lessons(bytes);
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < DIALOGUES; i++) {
            int[] tokens = lessons.render(dialogues.next()).tokens();
            int from = 0;
            for (int to = 0; to < tokens.length; to++) {
                if (bytes.isSpecial(tokens[to])) {
                    texts.add(bytes.decodeUtf8(Arrays.copyOfRange(tokens, from, to)));
                    from = to + 1;
                }
            }
        }
        return texts;
    }

    private static Tokenizer.Builder special(Tokenizer.Builder builder, int from) {
        for (int i = 0; i < SPECIAL.size(); i++) {
            builder.special(SPECIAL.get(i), from + i);
        }
        return builder;
    }
}
