package dev.ossicle.grammar;

import static dev.ossicle.grammar.Sampling.TRIE;
import static dev.ossicle.grammar.Sampling.reachable;
import static dev.ossicle.grammar.Sampling.sample;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRegexAndGbnf {
    private static final String ALPHABET = "aabbcxyzAZ019_ -.\n\t\"\\é¿ÿĀ߿ࠀ日\uD7FF\uE000\uFFFF😀";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "a|b|",
                "(a|b)*c",
                "a{2,3}b?",
                "(ab){2,}",
                "[a-c]+x",
                "[^a-c]{1,3}",
                ".",
                ".*",
                ".*a.*b",
                "\\d+\\.\\d*",
                "\\w+",
                "\\W",
                "\\D{2}",
                "\\s+",
                "\\S+",
                "[\\s\\d]+",
                "[^\\w]+",
                "[-a]+",
                "[a\\-z]+",
                "(?:a|(?<n>bc))+",
                "a+?b*?",
                "^a.c$",
                "^(a|ab)(c|bcx)$",
                "(a*)*b",
                "(a|a)*",
                "(a?){3}a{3}",
                "[é-日]+",
                "[\\u00e9\\u65e5]+",
                "[^é]",
                "[\\x61\\n]+",
                "[\\uE000-\\uFFFF]",
                "\\p{L}+",
                "\\p{Lu}[^\\p{L}]*",
                "\\P{L}+",
                "((a|b)(b|a)){0,2}",
                "[^\\n]*",
                "a{0}b",
                "(|a)+b",
                "\\\"[^\\\"\\\\]*\\\"",
                "[😀é]",
                "[ĀࠀA-Z]{2}"
            })
    void sayTheSameAsJava(String regex) {
        Grammar grammar = Grammar.regex(regex);
        Pattern java = Pattern.compile(regex);
        int[] alphabet = ALPHABET.codePoints().toArray();
        int matched = 0;
        for (long seed = 0; seed < 3000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder();
            int some = 1 + random.nextInt(alphabet.length); // few different ones make matches likelier
            for (int length = random.nextInt(7); length > 0; length--) {
                text.appendCodePoint(alphabet[random.nextInt(some)]);
            }
            boolean expected = java.matcher(text).matches();
            if (expected) {
                matched++;
            }
            assertThat(grammar.accepts(text.toString()))
                    .as("seed %d: %s on <%s>", seed, regex, text)
                    .isEqualTo(expected);
        }
        TokenGrammar tokens = grammar.over(TRIE);
        for (long seed = 0; seed < 10; seed++) {
            String text = sample(tokens, seed, 12);
            assertThat(java.matcher(text).matches())
                    .as("seed %d: %s on <%s>", seed, regex, text)
                    .isTrue();
        }
        assertThat(matched).as(regex).isPositive();
    }

    /** Every byte string of two, and a hundred thousand longer ones: what a class takes is UTF-8 and nothing else. */
    @Test
    void onlyUtf8IsTaken() {
        Expressions expressions = new Expressions();
        Expression any = new CodePoints.Plain(expressions).encode(CodePoints.ALL);
        Grammar grammar = new Grammar(expressions, expressions.repeat(any, 0, Expression.UNBOUNDED));
        Automaton automaton = grammar.automaton(Grammar::oneTokenPerByte);
        SplittableRandom random = new SplittableRandom(7);
        int[] interesting = {
            0, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5,
            0xFF
        };
        for (int i = 0; i < 165_536; i++) {
            byte[] bytes = i < 65_536 ? new byte[] {(byte) (i >> 8), (byte) i} : new byte[3 + random.nextInt(3)];
            for (int at = 0; i >= 65_536 && at < bytes.length; at++) {
                bytes[at] = (byte) interesting[random.nextInt(interesting.length)];
            }
            Automaton.State state = automaton.state(grammar.root());
            for (byte value : bytes) {
                state = automaton.isDead(state) ? state : automaton.next(state, value & 255);
            }
            String text = new String(bytes, StandardCharsets.UTF_8);
            boolean valid = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
            assertThat(state.complete).as(Arrays.toString(bytes)).isEqualTo(valid);
        }
    }

    @Test
    void brokenRegularExpressionsAreRefused() {
        for (String regex : new String[] {
            "(",
            ")",
            "a)",
            "[a",
            "a{2",
            "a{3,2}",
            "*",
            "a**",
            "\\",
            "\\q",
            "(?=a)",
            "(?<=a)",
            "(?i)a",
            "\\bx",
            "(a)\\1",
            "a^b",
            "(^a)",
            "(a$)",
            "a$b",
            "[b-a]",
            "[[a]]",
            "[a&&b]",
            "[\\d-x]",
            "\\p{Greek}",
            "\\u12",
            "\\ud800",
            "a{1234567}",
            "(".repeat(200)
        }) {
            assertThatThrownBy(() -> Grammar.regex(regex)).as(regex).isInstanceOf(GrammarException.class);
        }
    }

    private static final String ARITHMETIC = """
            # sums of products
            root ::= expr "\\n"
            expr ::= term (("+" | "-") term)*   # left to right
            term ::= factor
              | factor "*" term
            factor ::= number | "(" expr ")" | name
            number ::= [1-9] [0-9]{0,3} | "0"
            name ::= [a-zα-ω] [^()+*\\n\\x2d]?
            """;

    @Test
    void gbnf() {
        TokenGrammar grammar = Grammar.gbnf(ARITHMETIC).over(TRIE);
        assertThat(reachable(grammar, "1+2*(3-x)\n")).isTrue();
        assertThat(reachable(grammar, "((αb))*1000\n")).isTrue();
        assertThat(reachable(grammar, "1+\n")).isFalse();
        assertThat(reachable(grammar, "10000\n")).isFalse();
        assertThat(reachable(grammar, "(1\n")).isFalse();
        for (long seed = 0; seed < 200; seed++) {
            String text = sample(grammar, seed, 10 + (int) seed);
            assertThat(text).as("seed %d", seed).endsWith("\n");
            assertThat(text.chars().filter(c -> c == '(').count())
                    .as("seed %d: %s", seed, text)
                    .isEqualTo(text.chars().filter(c -> c == ')').count());
        }
    }

    @Test
    void brokenGrammarsAreRefusedWithTheirPlace() {
        assertRefused("x ::= \"a\"", "there is no rule named root");
        assertRefused("root ::= a", "grammar line 1, column 10: rule a is not defined");
        assertRefused("root ::= \"a\nb ::= \"c\"", "grammar line 1, column 12: a literal has no end");
        assertRefused("root ::= a\na ::= b | \"x\"\nb ::= a \"y\"", "refers to itself before anything else comes");
        assertRefused("root ::= [a] root?\n root ::= \"b\"", "rule root is defined twice");
        assertRefused("root ::= (\"a\"", "expected )");
        assertRefused("root ::= \"a\" root", "no text can satisfy it");
        assertRefused("root ::= \"a\"{3,1}", "expected a repetition");
        assertRefused("root ::= \"\\q\"", "unknown escape");
    }

    private static void assertRefused(String grammar, String message) {
        assertThatThrownBy(() -> Grammar.gbnf(grammar))
                .as(grammar)
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(message);
    }
}
