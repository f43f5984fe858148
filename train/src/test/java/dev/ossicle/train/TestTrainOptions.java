package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ossicle.train.TrainOptions.UsageException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TestTrainOptions {
    @Test
    void readsEveryOption() {
        TrainOptions options =
                TrainOptions.parse("--minutes", "1.5", "--out", "a/b", "--resume", "--seed", "-4", "--threads", "3");
        assertThat(options).isEqualTo(new TrainOptions(0, 1.5, Path.of("a/b"), null, true, -4, 0.003, 3));
        assertThat(TrainOptions.parse("--from", "a", "--rate", "0.001").from()).isEqualTo(Path.of("a"));
        assertThat(TrainOptions.parse("--from", "a", "--rate", "0.001").rate()).isEqualTo(0.001);
        assertThat(options.progress(1_000_000, 45)).isCloseTo(0.5, within(1e-9));
        assertThat(TrainOptions.parse("--tokens", "2M").progress(500_000, 1)).isCloseTo(0.25, within(1e-9));
        assertThat(TrainOptions.parse("--tokens", "10K").tokens()).isEqualTo(10_000);
        assertThat(TrainOptions.parse().tokens()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({
        "--token 5, unknown option --token",
        "--tokens, --tokens needs a value",
        "--tokens 0, --tokens is 0",
        "--tokens -5, --tokens is -5",
        "--tokens 0.2, --tokens is 0.2",
        "--minutes 5M, --minutes is 5M",
        "--minutes NaN, --minutes is NaN",
        "--seed x, --seed is x",
        "--threads 0, --threads is 0",
        "--rate 0, --rate is 0",
        "--tokens 5 --minutes 5, exclude",
        "--from a --resume, exclude",
    })
    void saysWhatIsWrong(String line, String message) {
        assertThatThrownBy(() -> TrainOptions.parse(line.split(" ")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }
}
