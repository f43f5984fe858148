package dev.ossicle.harmony;

import dev.ossicle.harmony.internal.IntList;
import dev.ossicle.harmony.tokenizer.MixedText;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Seeded streams of tokens: conversations as a model writes them, the same with mistakes in them, and noise. */
final class RandomTokens {
    private static final int[] CONTROL = {
        Wire.START, Wire.CHANNEL, Wire.MESSAGE, Wire.CONSTRAIN, Wire.END, Wire.CALL, Wire.RETURN
    };
    private static final String[] FRAGMENTS = {
        "assistant",
        "user",
        "tool",
        "system",
        "final",
        "analysis",
        "commentary",
        " to=",
        "to=",
        " to=functions.f",
        "to=functions.get_weather",
        " json",
        "json",
        "code",
        " code",
        " ",
        "\n",
        "assistantfinal",
        "commentaryjson",
        "We need to think about",
        "{\"a\":1}",
        " to=assistant",
        " to=python",
        "functions.f",
        "analysisWe",
        "é",
        "finally",
    };

    private RandomTokens() {}

    /** What a model might write after a prompt that ends in the role; from {@code <|start|>} on if that is null. */
    static int[] conversation(SplittableRandom random, @Nullable Role role) {
        IntList out = new IntList(64);
        int messages = random.nextInt(1, 5);
        for (int i = 0; i < messages; i++) {
            StringBuilder header = new StringBuilder();
            if (i > 0 || role == null) {
                header.append("<|start|>").append(random.nextInt(6) == 0 ? "functions.f to=assistant" : "assistant");
            }
            boolean call = random.nextInt(3) == 0;
            boolean first = random.nextBoolean();
            if (call && first) {
                header.append(" to=functions.f");
            }
            header.append("<|channel|>");
            header.append(new String[] {"analysis", "commentary", "final"}[random.nextInt(3)]);
            if (call && !first) {
                header.append(" to=browser.search");
            }
            if (call && random.nextBoolean()) {
                header.append(random.nextBoolean() ? " <|constrain|>json" : " code");
            }
            out.addAll(Wire.tokens(header + "<|message|>"));
            out.addAll(Wire.TOKENIZER.encodeOrdinary(MixedText.of(random, random.nextInt(6))));
            out.add(call ? Wire.CALL : i + 1 < messages ? Wire.END : Wire.RETURN);
        }
        return out.toArray();
    }

    /** With up to four mistakes. */
    static int[] mutated(SplittableRandom random, int[] tokens) {
        int[] mutated = tokens;
        for (int n = random.nextInt(5); n > 0; n--) {
            int at = random.nextInt(mutated.length + 1);
            int to = Math.min(mutated.length, at + random.nextInt(1, 4));
            int[] head = Arrays.copyOf(mutated, at);
            int[] cut = Arrays.copyOfRange(mutated, at, to);
            int[] tail = Arrays.copyOfRange(mutated, to, mutated.length);
            int[] middle = switch (random.nextInt(6)) {
                case 0 -> new int[0];
                case 1 -> TestTotalMode.concat(cut, cut);
                case 2 -> TestTotalMode.concat(new int[] {pick(random)}, cut);
                case 3 -> new int[] {pick(random)};
                case 4 ->
                    TestTotalMode.concat(
                            Wire.TOKENIZER.encodeOrdinary(FRAGMENTS[random.nextInt(FRAGMENTS.length)]), cut);
                default -> {
                    tail = random.nextInt(4) == 0 ? new int[0] : tail;
                    yield cut;
                }
            };
            mutated = TestTotalMode.concat(head, TestTotalMode.concat(middle, tail));
        }
        return mutated;
    }

    static int[] noise(SplittableRandom random) {
        IntList out = new IntList(64);
        for (int n = random.nextInt(40); n > 0; n--) {
            if (random.nextInt(3) == 0) {
                out.addAll(Wire.TOKENIZER.encodeOrdinary(FRAGMENTS[random.nextInt(FRAGMENTS.length)]));
            } else {
                out.add(pick(random));
            }
        }
        return out.toArray();
    }

    private static int pick(SplittableRandom random) {
        return switch (random.nextInt(10)) {
            case 0, 1, 2, 3, 4 -> CONTROL[random.nextInt(CONTROL.length)];
            case 5 -> random.nextInt(256); // among them single bytes that are no text
            case 6 -> random.nextInt(199_998, 201_092);
            case 7 -> random.nextInt(10) == 0 ? -random.nextInt(5) : Wire.END_OF_TEXT;
            default -> random.nextInt(199_998);
        };
    }
}
