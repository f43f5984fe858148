package dev.ossicle.evals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.json.Json;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TestEval {
    @Test
    void thereAre400QuestionsAboutEqualByFamilyAndEffort() throws Exception {
        Map<String, Integer> families = new HashMap<>();
        Map<String, Integer> cells = new HashMap<>();
        List<Question> questions = Question.nano();
        for (Question question : questions) {
            families.merge(question.family(), 1, Integer::sum);
            cells.merge(question.family() + " " + question.effort(), 1, Integer::sum);
        }
        assertThat(questions).hasSize(400);
        assertThat(families)
                .hasSize(14)
                .allSatisfy((name, count) -> assertThat(count).isBetween(28, 29));
        assertThat(cells)
                .hasSize(42)
                .allSatisfy((name, count) -> assertThat(count).isBetween(9, 10));
    }

    /** One of each family. */
    @Test
    void theEmbeddedModelAnswersMostOfAHandful() throws Exception {
        List<Question> few = Question.nano().subList(0, 14);
        List<Outcome> outcomes;
        try (ChatModel nano = ChatModel.nano()) {
            outcomes = few.stream().map(question -> Outcome.of(nano, question)).toList();
        }
        Results results = new Results("nano", outcomes);
        assertThat(outcomes.stream().filter(Outcome::isRight).count())
                .as(results.wrong())
                .isGreaterThanOrEqualTo(11);
        assertThat(results.table()).contains("identity", "reasoning tokens, mean");
        assertThat(Json.parse(results.json().toString())).isEqualTo(results.json());
    }

    @Test
    void onlyTheExactAnswerWithTheRightCallCounts() throws Exception {
        Question question = Question.nano().stream()
                .filter(q -> q.family().equals("function") && q.turns().size() == 1)
                .findFirst()
                .orElseThrow();
        String answer = question.turns().getFirst().answer();
        Outcome right = new Outcome(question, answer, new Outcome(question, "", List.of(), 0).expectedCalls(), 0);
        assertThat(right.isRight()).isTrue();
        assertThat(new Outcome(question, answer, List.of(), 0).isRight()).isFalse();
        assertThat(new Outcome(question, answer + " ", right.calls(), 0).isRight())
                .isFalse();
        assertThat(new Results("a", List.of(right)).wrong()).isEmpty();
    }

    @Test
    void aCommandLineThatIsNotUnderstoodIsRefused() {
        assertThat(Main.run()).isEqualTo(2);
        assertThat(Main.run("nano", "--model")).isEqualTo(2);
        assertThat(Main.run("nano", "--fast")).isEqualTo(2);
        assertThat(Main.run("nano", "--model", "no-such-folder")).isEqualTo(1);
        assertThat(Main.run("--help")).isZero();
    }
}
