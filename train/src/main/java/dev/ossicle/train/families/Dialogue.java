package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversation to learn from, as text.
 *
 * @param date of the system message; null leaves the line out
 * @param instructions of the developer message; null if there are none
 * @param functions that the developer declares
 * @param python whether the built-in tool is offered
 */
public record Dialogue(
        ReasoningEffort effort,
        @Nullable String date,
        @Nullable String instructions,
        List<ToolDescription> functions,
        boolean python,
        List<Turn> turns) {
    public static Dialogue of(
            ReasoningEffort effort, @Nullable String date, @Nullable String instructions, List<Turn> turns) {
        return new Dialogue(effort, date, instructions, List.of(), false, turns);
    }
}
