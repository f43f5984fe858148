package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class TestQuestions {
    private static final Path FILE =
            Path.of("..", "evals", "src", "main", "resources", "dev", "ossicle", "evals", "nano.jsonl");

    @Test
    void theFileOfTheEvaluationIsWhatThisMakes() throws Exception {
        assertThat(Questions.lines())
                .as("if the families were meant to change: ./ossicle train questions > " + FILE)
                .isEqualTo(Files.readAllLines(FILE));
    }
}
