package dev.ossicle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the README promises to do, done. */
class TestReadme {
    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void theQuickStartCompilesAndAnswers(@TempDir Path folder) throws IOException, InterruptedException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("..", "README.md")));
        assertThat(block.find()).isTrue();
        Path source = Files.writeString(folder.resolve("QuickStart.java"), block.group(1));
        Path err = folder.resolve("err");
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        source.toString())
                .redirectError(err.toFile())
                .start();
        String out = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(java.waitFor()).as(Files.readString(err)).isZero();
        // What nano says is not promised; that it says something, and that a record is a record, is.
        assertThat(out).matches(Pattern.compile("(?s).+\n.*Sum\\[result=-?\\d+]\n"));
    }
}
