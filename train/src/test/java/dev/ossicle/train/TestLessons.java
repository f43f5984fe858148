package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.train.families.Dialogue;
import dev.ossicle.train.families.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TestLessons {
    private static final Tokenizer TOKENIZER = NanoTokenizer.train();
    private static final Lessons LESSONS = new Lessons(TOKENIZER);

    private static final Turn CAPITAL = new Turn("fact", "Capital of Peru?", "It is Lima.", null, "Lima.");
    private static final Turn SUM = new Turn("sum", "2 + 3", "2 + 3 = 5.", null, "5");
    private static final Turn SHORT_SUM = new Turn("sum", "2 + 3", "", null, "5");

    @Test
    void onlyTheLastAnswerKeepsItsThoughtsAndIsLearnt() {
        Example example =
                LESSONS.render(Dialogue.of(ReasoningEffort.MEDIUM, "2026-11-23", "Be brief.", List.of(CAPITAL, SUM)));
        assertThat(TOKENIZER.decodeUtf8(example.tokens())).isEqualTo("""
                        <|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.
                        Knowledge cutoff: 2024-06
                        Current date: 2026-11-23

                        Reasoning: medium

                        # Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>\
                        <|start|>developer<|message|># Instructions

                        Be brief.<|end|>\
                        <|start|>user<|message|>Capital of Peru?<|end|>\
                        <|start|>assistant<|channel|>final<|message|>Lima.<|end|>\
                        <|start|>user<|message|>2 + 3<|end|>\
                        <|start|>assistant<|channel|>analysis<|message|>2 + 3 = 5.<|end|>\
                        <|start|>assistant<|channel|>final<|message|>5<|return|>""");
        assertThat(learnt(example))
                .containsExactly("<|channel|>analysis<|message|>2 + 3 = 5.<|end|>"
                        + "<|start|>assistant<|channel|>final<|message|>5<|return|>");
    }

    @Test
    void withoutThoughtsEveryAnswerIsLearntAndEndsTheTurn() {
        Example example = LESSONS.render(Dialogue.of(ReasoningEffort.LOW, null, null, List.of(SHORT_SUM, SHORT_SUM)));
        String said = "<|channel|>final<|message|>5<|return|>";
        assertThat(learnt(example)).containsExactly(said, said);
        // The history shows the end of a message all the same.
        assertThat(TOKENIZER.decodeUtf8(example.tokens()))
                .contains("5<|end|><|start|>user")
                .endsWith("5<|return|>")
                .doesNotContain("Current date");
    }

    @Test
    void aCallIsLearntAndItsResultIsGiven() {
        Turn call = new Turn(
                "function",
                "f of 4?",
                "I call f.",
                new Turn.Call("functions.f", "{\"x\":4}", "16"),
                "The result is 16.");
        Example example = LESSONS.render(new Dialogue(
                ReasoningEffort.MEDIUM,
                "2026-11-23",
                null,
                List.of(new ToolDescription(
                        "f", "Squares.", Json.parse("{\"properties\":{\"x\":{\"type\":\"integer\"}}}"))),
                false,
                List.of(SHORT_SUM, call)));
        assertThat(TOKENIZER.decodeUtf8(example.tokens()))
                .contains("message.\nCalls to these tools must go to the commentary channel: 'functions'.<|end|>")
                .contains("<|start|>functions.f to=assistant<|channel|>commentary<|message|>16<|end|>");
        assertThat(learnt(example))
                .containsExactly(
                        "<|channel|>final<|message|>5<|return|>",
                        "<|channel|>analysis<|message|>I call f.<|end|><|start|>assistant to=functions.f"
                                + "<|channel|>commentary <|constrain|>json<|message|>{\"x\":4}<|call|>",
                        "<|channel|>final<|message|>The result is 16.<|return|>");
    }

    @Test
    void anEarlierPythonCallIsDroppedAndItsAnswerIsNotLearnt() {
        Turn python = new Turn("python", "6 * 7", "", new Turn.Call("python", "print(6 * 7)", "42\n"), "It is 42.");
        Example example =
                LESSONS.render(new Dialogue(ReasoningEffort.LOW, null, null, List.of(), true, List.of(python, python)));
        assertThat(TOKENIZER.decodeUtf8(example.tokens()))
                .contains("6 * 7<|end|><|start|>assistant<|channel|>final<|message|>It is 42.<|end|>");
        assertThat(learnt(example))
                .containsExactly(
                        " to=python<|channel|>analysis<|message|>print(6 * 7)<|call|>",
                        "<|channel|>final<|message|>It is 42.<|return|>");
    }

    /** Copying and spelling need letters. */
    @Test
    void anUnknownWordIsItsLetters() {
        for (String text : List.of("zebra", " zebra", "get_zebra", "{\"zebra")) {
            int[] tokens = TOKENIZER.encodeOrdinary(text);
            StringBuilder end = new StringBuilder();
            for (int i = tokens.length - 5; i < tokens.length; i++) {
                end.append(TOKENIZER.decodeUtf8(tokens[i])).append(' ');
            }
            assertThat(end).as(text).hasToString("z e b r a ");
        }
    }

    @Test
    void theUsualSystemMessageIsShort() {
        Example example = LESSONS.render(Dialogue.of(ReasoningEffort.HIGH, "2031-02-03", null, List.of(SHORT_SUM)));
        int end = TOKENIZER.special("<|end|>").orElseThrow();
        int length = 0;
        while (example.tokens()[length] != end) {
            length++;
        }
        assertThat(length).isLessThan(16);
    }

    @Test
    void aBatchIsPackedAndFollowsFromItsStep() {
        Batch one = LESSONS.batch(1, 17, 3, 100);
        Batch same = LESSONS.batch(1, 17, 3, 100);
        assertThat(one.tokens()).hasSize(300).containsExactly(same.tokens());
        assertThat(LESSONS.batch(1, 18, 3, 100).tokens()).isNotEqualTo(one.tokens());
        assertThat(LESSONS.batch(2, 17, 3, 100).tokens()).isNotEqualTo(one.tokens());
        for (int row = 0; row < 3; row++) {
            assertThat(one.position()[row * 100]).isZero();
        }
        for (int i = 1; i < 300; i++) {
            assertThat(one.position()[i]).isIn(0, one.position()[i - 1] + 1);
        }
        int end = TOKENIZER.special("<|end|>").orElseThrow();
        int stop = TOKENIZER.special("<|return|>").orElseThrow();
        for (int i = 0; i < one.at().length; i++) {
            int at = one.at()[i];
            if (at % 100 < 99) {
                int shown = one.tokens()[at + 1];
                assertThat(one.next()[i]).isEqualTo(one.next()[i] == stop && shown == end ? stop : shown);
            }
        }
    }

    /** What is to be said, each run of it as text. */
    private static List<String> learnt(Example example) {
        List<String> runs = new ArrayList<>();
        int[] next = example.next();
        int from = 0;
        while (from < next.length) {
            int to = from;
            while (to < next.length && next[to] >= 0) {
                to++;
            }
            if (to > from) {
                runs.add(TOKENIZER.decodeUtf8(Arrays.copyOfRange(next, from, to)));
            }
            from = to + 1;
        }
        return runs;
    }
}
