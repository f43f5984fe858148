package dev.ossicle.evals;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.Chat;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.harmony.ReasoningEffort;
import java.time.LocalDate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What README and docs/nano.md say that the embedded model does. */
final class TestEmbeddedNano {
    private static ChatModel nano;

    @BeforeAll
    static void open() {
        nano = ChatModel.nano();
    }

    @AfterAll
    static void close() {
        nano.close();
    }

    @Test
    void addsAndThinksLongerWithMoreEffort() {
        Answer.Parts low = parts(chat(ReasoningEffort.LOW), "What is 347 + 586?");
        Answer.Parts medium = parts(chat(ReasoningEffort.MEDIUM), "What is 347 + 586?");
        Answer.Parts high = parts(chat(ReasoningEffort.HIGH), "What is 347 + 586?");
        assertThat(low.text())
                .isEqualTo("347 + 586 = 933")
                .isEqualTo(medium.text())
                .isEqualTo(high.text());
        assertThat(low.reasoning()).isEqualTo("347+586: 7+6=13 4+8+1=13 3+5+1=9");
        assertThat(medium.reasoning()).hasSizeGreaterThan(low.reasoning().length());
        assertThat(high.reasoning()).hasSizeGreaterThan(medium.reasoning().length());
        assertThat(parts(chat(ReasoningEffort.MEDIUM), "What is 2 + 3?"))
                .isEqualTo(new Answer.Parts("2 + 3 = 5.", "2 + 3 = 5"));
    }

    @Test
    void callsPythonWhereItIsOfferedAndSaysSoWhereItIsNot() {
        String question = "What is 123456 * 654321?";
        CannedPython python = new CannedPython();
        python.result = "80779853376\n";
        assertThat(parts(chat(ReasoningEffort.MEDIUM).sessions(python), question)
                        .text())
                .isEqualTo("The result is 80779853376.");
        assertThat(parts(chat(ReasoningEffort.MEDIUM), question).text())
                .endsWith("ossicle run --tools python \"123456 * 654321\"");
    }

    @Test
    void saysWhatItCannotDo() {
        assertThat(parts(chat(ReasoningEffort.MEDIUM), "Write a Java program that sorts a list.")
                        .text())
                .contains("ossicle pull gpt-oss-20b", "ossicle run gpt-oss-20b");
    }

    private static Chat chat(ReasoningEffort effort) {
        return nano.chat()
                .options(ChatOptions.DEFAULT
                        .withEffort(effort)
                        .withTemperature(0)
                        .withDate(LocalDate.of(2026, 11, 26)));
    }

    private static Answer.Parts parts(Chat chat, String question) {
        try (Answer answer = chat.ask(question)) {
            return answer.parts();
        }
    }
}
