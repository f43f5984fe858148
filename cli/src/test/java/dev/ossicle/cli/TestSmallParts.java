package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestSmallParts {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "nano",
                "gpt-oss-20b",
                "gpt-oss:120b",
                "GPT-OSS-20B",
                "openai/gpt-oss-120b",
                "gpt-oss-safeguard-20b",
                "model.gguf",
                "./folder",
                "/models/x",
                "~/models/x",
                "../x",
                "src"
            })
    void modelsAreToldFromPrompts(String argument) {
        assertThat(ModelLocation.isModel(argument)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "What is 2 + 3?",
                "Hello",
                "nano?",
                "gpt-oss-20b is what?",
                "is model.gguf good?",
                "either/or",
                "a\0b",
                ""
            })
    void promptsAreToldFromModels(String argument) {
        assertThat(ModelLocation.isModel(argument)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"0,0 B", "999,999 B", "1000,1.0 kB", "12109558208,12.1 GB", "999960000,1.0 GB", "5e15,5000.0 TB"})
    void bytesAreReadable(double bytes, String text) {
        assertThat(Sizes.bytes(bytes)).isEqualTo(text);
    }

    @Test
    void shellWordsSurviveAShell() {
        assertThat(ShellWords.join(List.of("ossicle", "it's", "", "a b", "$x", "--top-p", "0.5")))
                .isEqualTo("ossicle 'it'\\''s' '' 'a b' '$x' --top-p 0.5");
    }

    @Test
    void progressIsSilentWhereNobodyLooks() {
        StringWriter text = new StringWriter();
        AtomicLong nanos = new AtomicLong();
        Progress progress = new Progress(new PrintWriter(text), "", "tokens", 10, false, nanos::get);
        nanos.set(5_000_000_000L);
        progress.update(5);
        progress.end();
        assertThat(text.toString()).isEmpty();
    }

    @Test
    void loadingIsShownWhereItTakesTime() {
        StringWriter text = new StringWriter();
        AtomicLong nanos = new AtomicLong(7);
        Progress progress = new Progress(new PrintWriter(text), "loading ", "MB", 1, true, nanos::get);
        progress.bytes(12_000_000_000L, 12_100_000_000L);
        progress.end();
        assertThat(text.toString()).as("it was fast").isEmpty();
        nanos.addAndGet(2_000_000_000L);
        progress.bytes(3_400_999_999L, 12_100_000_000L);
        assertThat(text.toString()).isEqualTo("\rloading 3400 of 12100 MB (28 %), 5 s left");
        progress.end();
        assertThat(text.toString()).endsWith("\r" + " ".repeat(41) + "\r");
    }

    @Test
    void aTransferSaysHowItGoes() {
        assertThat(Transfer.describe(3_000_000_000L, 12_000_000_000L, 50e6))
                .isEqualTo("[#####               ]  25 %  3.0 GB of 12.0 GB, 50.0 MB/s, 3 min 0 s left");
        assertThat(Transfer.describe(0, 0, 0)).contains("100 %").doesNotContain("left");
        StringWriter shown = new StringWriter();
        Transfer transfer = new Transfer(new PrintWriter(shown, true), true);
        transfer.update(10, 100);
        transfer.update(100, 100);
        transfer.note("done");
        assertThat(shown.toString()).contains("100 %  100 B of 100 B").endsWith("done" + System.lineSeparator());
    }
}
