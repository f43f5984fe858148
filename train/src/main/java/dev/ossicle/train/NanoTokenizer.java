package dev.ossicle.train;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.train.families.Dialogues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The nano model's tokenizer: the pieces that are frequent in the conversations it is taught are tokens, and any other piece
 * is its bytes.
 *
 * <p>So a word that nano does not know lies before it letter by letter, and can be copied and spelt.
 */
final class NanoTokenizer {
    /** Fewer occurrences make no token: words that are made up at random occur less often. */
    private static final int LEAST_COUNT = 12;

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

    /** What Harmony says in so many words: one piece each, which makes its system message 15 tokens and not 63. */
    private static final List<String> FIXED = List.of(
            "You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06",
            "\nCurrent date: ",
            "\n\nReasoning: low\n\n",
            "\n\nReasoning: medium\n\n",
            "\n\nReasoning: high\n\n",
            "# Valid channels: analysis, commentary, final. Channel must be included for every message.",
            "\nCalls to these tools must go to the commentary channel: 'functions'.",
            "# Tools\n\n## functions\n\nnamespace functions {\n\n",
            "# Tools\n\n## python\n\n" + ToolNamespace.python().description() + "\n\n",
            "} // namespace functions",
            "# Instructions\n\n",
            " = (_: {\n",
            ": string,\n",
            ": number,\n",
            "}) => any;\n\n",
            " to=functions.",
            " to=python",
            " to=assistant",
            "functions.",
            "print(",
            "ossicle pull gpt-oss-20b",
            "ossicle run gpt-oss-20b",
            "ossicle run --tools python");

    /** Names in quotes or after a bracket stay letters, so that they can be spelt; these are no names. */
    private static final Pattern SMALL = Pattern.compile("[a-z]+");

    private static final List<String> SMALL_WORDS =
            List.of("assistant", "user", "system", "developer", "python", "json", "analysis", "commentary", "final");

    /** Behind the fixed pieces o200k's, with digits on their own, so that the model can see what it adds. */
    static final String SPLIT_PATTERN = splitPattern();

    private NanoTokenizer() {}

    private static String splitPattern() {
        List<String> parts = new ArrayList<>();
        FIXED.forEach(fixed -> parts.add(literal(fixed)));
        parts.add("(?<=date: )20\\d\\d");
        parts.add("(?<=\\n)type ");
        parts.add(
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?");
        parts.add(
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?");
        parts.add("\\p{N}");
        parts.add(" ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*");
        parts.add("\\s*[\\r\\n]+");
        parts.add("\\s+(?!\\S)");
        parts.add("\\s+");
        return String.join("|", parts);
    }

    private static String literal(String text) {
        return text.replaceAll("[.+*?()\\[\\]{}|^$\\\\]", "\\\\$0").replace("\n", "\\n");
    }

    /** Always the same one, until what the model is taught changes. */
    static Tokenizer train() {
        List<byte[]> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        tokens.add("  ".getBytes(UTF_8));
        frequentPieces().forEach(piece -> tokens.add(piece.getBytes(UTF_8)));
        // With one merge in the file no reader takes the tokens' order for the merges'.
        Tokenizer.Builder builder = Tokenizer.builder()
                .splitPattern(SPLIT_PATTERN)
                .wholePieces(true)
                .merge(' ', ' ');
        for (int id = 0; id < tokens.size(); id++) {
            builder.token(id, tokens.get(id));
        }
        return special(builder, tokens.size()).build();
    }

    private static List<String> frequentPieces() {
        Pattern split = Pattern.compile(SPLIT_PATTERN, Pattern.UNICODE_CHARACTER_CLASS);
        Map<String, Integer> counts = new HashMap<>();
        for (String text : texts()) {
            Matcher matcher = split.matcher(text);
            while (matcher.find()) {
                counts.merge(matcher.group(), 1, Integer::sum);
            }
        }
        return counts.entrySet().stream()
                .filter(entry -> entry.getValue() >= LEAST_COUNT && isToken(entry.getKey()))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    private static boolean isToken(String piece) {
        return piece.getBytes(UTF_8).length > 1
                && !piece.equals("  ")
                && (!SMALL.matcher(piece).matches() || SMALL_WORDS.contains(piece) || Dialogues.isKey(piece));
    }

    /** What stands between special tokens in rendered conversations. */
    private static List<String> texts() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int b = 0; b < 256; b++) {
            builder.token(b, new byte[] {(byte) b});
        }
        Tokenizer bytes = special(builder, 256).build();
        Lessons lessons = new Lessons(bytes);
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
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
