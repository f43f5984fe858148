package dev.ossicle.train;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversation to learn from, as text.
 *
 * @param date of the system message; null leaves the line out
 * @param instructions of the developer message; null if there is none
 */
record Dialogue(
        ReasoningEffort effort,
        @Nullable String date,
        @Nullable String instructions,
        List<Turn> turns) {
    /**
     * A question and the one answer to it that counts as right.
     *
     * @param family what kind of question it is
     * @param analysis empty if the effort asks for none
     */
    record Turn(String family, String user, String analysis, String answer) {}
}
