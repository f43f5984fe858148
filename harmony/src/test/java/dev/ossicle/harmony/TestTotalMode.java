package dev.ossicle.harmony;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.harmony.Repair.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TestTotalMode {
    /** The examples of docs/harmony.md: tokens, then messages, then the kinds of the repairs. */
    @Test
    void theDocumentedExamplesHold() throws IOException {
        EnumSet<Kind> seen = EnumSet.noneOf(Kind.class);
        int examples = 0;
        List<String> lines = Files.readAllLines(Path.of("../docs/harmony.md"));
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).startsWith("    in   ")) {
                continue;
            }
            String in = lines.get(i).substring(9).replace("⏎", "\n");
            List<String> messages = new ArrayList<>();
            TreeSet<String> kinds = new TreeSet<>();
            for (i++; i < lines.size() && lines.get(i).startsWith("    "); i++) {
                String rest = lines.get(i).substring(9);
                if (lines.get(i).startsWith("    out  ")) {
                    messages.add(rest.replace("⏎", "\n"));
                } else {
                    assertThat(lines.get(i)).startsWith("    kind ");
                    kinds.addAll(List.of(rest.split(" ")));
                }
            }
            Role role = in.startsWith("<|start|>") ? null : Role.ASSISTANT;
            HarmonyEncoding.Parsed parsed = Wire.ENCODING.parse(Wire.tokens(in), role, ParseMode.TOTAL);
            assertThat(parsed.messages().stream().map(Wire::show)).as(in).containsExactlyElementsOf(messages);
            assertThat(parsed.repairs().stream()
                            .map(repair -> repair.kind().name().toLowerCase(Locale.ROOT)))
                    .as(in)
                    .containsOnlyOnceElementsOf(kinds)
                    .hasSize(kinds.size());
            parsed.repairs().forEach(repair -> seen.add(repair.kind()));
            check(Wire.tokens(in), role, in);
            examples++;
        }
        assertThat(examples).isGreaterThan(20);
        // Text has no literals for these two.
        seen.add(Kind.UNKNOWN_TOKEN);
        seen.add(Kind.INVALID_UTF8);
        assertThat(seen).isEqualTo(EnumSet.allOf(Kind.class));
    }

    @Test
    void whatTheVocabularyLacksIsReported() {
        int[] tokens = Wire.tokens("<|channel|>final<|message|>a?b<|end|>");
        tokens[4] = 201_089;
        HarmonyEncoding.Parsed parsed = Wire.ENCODING.parse(tokens, Role.ASSISTANT, ParseMode.TOTAL);
        assertThat(parsed.messages().getFirst().text()).isEqualTo("ab");
        assertThat(parsed.repairs()).containsExactly(new Repair(Kind.UNKNOWN_TOKEN, 0, 4, 5, "201089"));
    }

    @Test
    void bytesThatAreNoTextAreReported() {
        int[] half = Arrays.copyOf(Wire.tokens("\uFDFD"), 2);
        int[] tokens = concat(Wire.tokens("<|channel|>final<|message|>a"), concat(half, Wire.tokens("b<|return|>")));
        HarmonyEncoding.Parsed parsed = Wire.ENCODING.parse(tokens, Role.ASSISTANT, ParseMode.TOTAL);
        assertThat(parsed.messages().getFirst().text()).isEqualTo("a\uFFFDb");
        assertThat(parsed.repairs()).containsExactly(new Repair(Kind.INVALID_UTF8, 0, 6, 7, "EFB7"));
    }

    @Test
    void tenThousandStreamsLoseNothing() {
        streams(0, 10_000);
    }

    @Test
    @Tag("slow")
    void aMillionStreamsLoseNothing() {
        streams(10_000, 1_000_000);
    }

    private static void streams(long from, long count) {
        for (long seed = from; seed < from + count; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Role role = random.nextInt(3) == 0 ? null : Role.ASSISTANT;
            int[] tokens = random.nextInt(3) == 0
                    ? RandomTokens.noise(random)
                    : RandomTokens.mutated(random, RandomTokens.conversation(random, role));
            check(tokens, role, "seed " + seed);
        }
    }

    @Test
    void hostileStreamsAreDoneInNoTime() {
        for (int[] unit : new int[][] {
            {Wire.CHANNEL},
            {Wire.START},
            {Wire.MESSAGE},
            {Wire.END},
            {Wire.CONSTRAIN},
            Wire.tokens("<|channel|>final"),
            Wire.tokens("<|channel|>final to=a"),
            Wire.tokens("<|start|>a b c d"),
            Wire.tokens("a"),
            Wire.tokens(" to=a"),
            Wire.tokens(" "),
            Wire.tokens("assistant"),
            {200_001},
            {-1},
            Arrays.copyOf(Wire.tokens("\uFDFD"), 1),
        }) {
            int[] tokens = new int[60_000 / unit.length * unit.length];
            for (int i = 0; i < tokens.length; i++) {
                tokens[i] = unit[i % unit.length];
            }
            Wire.ENCODING.parse(tokens, Role.ASSISTANT, ParseMode.TOTAL);
            Wire.ENCODING.parse(tokens, null, ParseMode.TOTAL);
            check(Arrays.copyOf(tokens, 700), null, Arrays.toString(unit));
        }
    }

    private static void check(int[] tokens, @Nullable Role role, String what) {
        String input = what + ": " + Arrays.toString(tokens);
        try {
            HarmonyEncoding.Parsed parsed = Wire.ENCODING.parse(tokens, role, ParseMode.TOTAL);
            deltasMakeTheMessages(tokens, role, parsed);
            agreesWithStrict(tokens, role, parsed);
            Accounting.check(tokens, role);
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(input, e);
        }
    }

    private static void deltasMakeTheMessages(int[] tokens, @Nullable Role role, HarmonyEncoding.Parsed parsed) {
        HarmonyParser parser = Wire.ENCODING.parser(role, ParseMode.TOTAL);
        List<String> streamed = new ArrayList<>();
        StringBuilder open = new StringBuilder();
        for (int i = 0; i <= tokens.length; i++) {
            if (i < tokens.length) {
                parser.process(tokens[i]);
            } else {
                parser.finish();
            }
            if (parser.delta() != null) {
                open.append(parser.delta());
            }
            if (parser.messages().size() > streamed.size()) {
                streamed.add(open.toString());
                open.setLength(0);
            }
            assertThat(parser.messages()).hasSize(streamed.size());
            if (parser.state() == ParserState.CONTENT) {
                assertThat(parser.content()).isEqualTo(open.toString());
                assertThat(parser.role()).isNotNull();
            } else {
                assertThat(parser.content()).isEmpty();
            }
        }
        assertThat(parser.messages()).isEqualTo(parsed.messages());
        assertThat(parser.repairs()).isEqualTo(parsed.repairs());
        assertThat(parser.tokens()).isEqualTo(tokens);
        assertThat(streamed)
                .isEqualTo(parsed.messages().stream().map(Message::text).toList());
        assertThat(open).isEmpty();
    }

    /** Where the strict parser reads the tokens, total mode repairs only what would mislead, and else says the same. */
    private static void agreesWithStrict(int[] tokens, @Nullable Role role, HarmonyEncoding.Parsed parsed) {
        List<Message> strict;
        try {
            strict = Wire.ENCODING.parse(tokens, role, ParseMode.STRICT).messages();
        } catch (HarmonyException e) {
            // Only the end of the tokens in a header that may still be read is no repair where the prompt began it.
            if (tokens.length > 0) {
                assertThat(parsed.repairs()).isNotEmpty();
            }
            return;
        }
        if (parsed.repairs().stream().allMatch(repair -> repair.kind() == Kind.INVALID_UTF8)) {
            assertThat(parsed.messages()).isEqualTo(strict);
        }
    }

    static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}
