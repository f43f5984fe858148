package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.train.Dialogue.Turn;
import dev.ossicle.train.NanoDialogues.Family;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the embedded model says, greedily and through the public API, to questions as they were never put to it in training. */
final class TestEmbeddedNano {
    private static final long SEED = 77;

    private static ChatModel nano;

    private final NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));

    @BeforeAll
    static void open() {
        nano = ChatModel.open(Path.of("..", "nano", "src", "main", "resources", "dev", "ossicle", "nano"));
    }

    @AfterAll
    static void close() {
        nano.close();
    }

    @Test
    void addsEveryPairOfDigits() {
        List<Dialogue> questions = new ArrayList<>();
        for (int a = 0; a < 10; a++) {
            for (int b = 0; b < 10; b++) {
                String phrasing = NanoDialogues.SUM_HELD_OUT.get((a + b) % NanoDialogues.SUM_HELD_OUT.size());
                questions.add(dialogues.sum(phrasing, a, b, ReasoningEffort.LOW));
            }
        }
        assertThat(wrong(questions)).as("of 100").hasSizeLessThanOrEqualTo(5);
    }

    @ParameterizedTest
    @EnumSource
    void countsAtEveryEffort(ReasoningEffort effort) {
        List<Dialogue> questions = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            questions.add(dialogues.heldOut(Family.SUM, effort));
        }
        assertThat(wrong(questions)).as("of 20, seed %d", SEED).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void knowsItsCapitals() {
        List<Dialogue> questions = NanoDialogues.CAPITALS.keySet().stream()
                .map(country -> dialogues.capital("Can you name the capital of {x}?", country, ReasoningEffort.MEDIUM))
                .toList();
        assertThat(wrong(questions)).as("of 25").hasSizeLessThanOrEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(
            value = Family.class,
            names = {"IDENTITY", "UNKNOWN"})
    void saysWhoItIsAndWhatItDoesNotKnow(Family family) {
        List<Dialogue> questions = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            questions.add(dialogues.heldOut(family, ReasoningEffort.MEDIUM));
        }
        assertThat(wrong(questions)).as("of 20, seed %d", SEED).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void moreEffortThinksLonger() {
        Answer.Parts low = ask("What is 2 + 3?", ReasoningEffort.LOW, "2026-11-23");
        Answer.Parts medium = ask("What is 2 + 3?", ReasoningEffort.MEDIUM, "2026-11-23");
        Answer.Parts high = ask("What is 2 + 3?", ReasoningEffort.HIGH, "2026-11-23");
        assertThat(List.of(low.text(), medium.text(), high.text())).containsOnly("2 + 3 = 5");
        assertThat(low.reasoning()).isEmpty();
        assertThat(medium.reasoning()).isNotEmpty();
        assertThat(high.reasoning()).hasSizeGreaterThan(medium.reasoning().length());
    }

    private static List<String> wrong(List<Dialogue> questions) {
        List<String> wrong = new ArrayList<>();
        for (Dialogue question : questions) {
            Turn turn = question.turns().getFirst();
            String answer = ask(turn.user(), question.effort(), Objects.requireNonNull(question.date()))
                    .text();
            if (!answer.equals(turn.answer())) {
                wrong.add(turn.user() + " -> " + answer);
            }
        }
        return wrong;
    }

    private static Answer.Parts ask(String user, ReasoningEffort effort, String date) {
        ChatOptions options =
                ChatOptions.DEFAULT.withEffort(effort).withTemperature(0).withDate(LocalDate.parse(date));
        try (Answer answer = nano.chat().options(options).ask(user)) {
            return answer.parts();
        }
    }
}
