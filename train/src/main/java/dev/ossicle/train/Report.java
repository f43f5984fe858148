package dev.ossicle.train;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.train.NanoDialogues.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** How many answers are exactly right, thoughts included, by kind of question and by effort. */
record Report(List<Line> lines) {
    private static final long SEED = 20_261_123;

    /** One kind of question. */
    record Line(String questions, ReasoningEffort effort, int right, int asked) {}

    /**
     * Asks that many questions of each family in phrasings that training never saw, and every sum and every capital in all
     * of these phrasings.
     */
    static Report of(Judge judge, Lessons lessons, int perFamily) {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        List<Line> lines = new ArrayList<>();
        for (Family family : Family.values()) {
            for (ReasoningEffort effort : ReasoningEffort.values()) {
                List<Example> examples = new ArrayList<>();
                for (int i = 0; i < perFamily; i++) {
                    examples.add(lessons.render(dialogues.heldOut(family, effort)));
                }
                lines.add(line(judge, family.name().toLowerCase(Locale.ROOT).replace('_', ' '), effort, examples));
            }
        }
        for (ReasoningEffort effort : ReasoningEffort.values()) {
            List<Example> examples = new ArrayList<>();
            for (int a = 0; a < 10; a++) {
                for (int b = 0; b < 10; b++) {
                    examples.add(lessons.render(dialogues.sum("What is {a} + {b}?", a, b, effort)));
                }
            }
            lines.add(line(judge, "\"What is a + b?\", all", effort, examples));
        }
        for (ReasoningEffort effort : ReasoningEffort.values()) {
            List<Example> examples = new ArrayList<>();
            for (String country : NanoDialogues.CAPITALS.keySet()) {
                for (String phrasing : NanoDialogues.CAPITAL_HELD_OUT) {
                    examples.add(lessons.render(dialogues.capital(phrasing, country, effort)));
                }
            }
            lines.add(line(judge, "all capitals", effort, examples));
        }
        return new Report(lines);
    }

    private static Line line(Judge judge, String questions, ReasoningEffort effort, List<Example> examples) {
        int right = 0;
        for (boolean one : judge.right(examples)) {
            right += one ? 1 : 0;
        }
        return new Line(questions, effort, right, examples.size());
    }

    /** A table: questions down, efforts across. */
    @Override
    public String toString() {
        StringBuilder table = new StringBuilder(String.format(Locale.ROOT, "%-24s", "exactly right"));
        for (ReasoningEffort effort : ReasoningEffort.values()) {
            table.append(String.format(Locale.ROOT, "%14s", effort.name().toLowerCase(Locale.ROOT)));
        }
        for (int i = 0; i < lines.size(); i++) {
            Line line = lines.get(i);
            if (i % ReasoningEffort.values().length == 0) {
                table.append(String.format(Locale.ROOT, "%n%-24s", line.questions()));
            }
            String share = line.right() + "/" + line.asked();
            table.append(String.format(Locale.ROOT, "%14s", share));
        }
        return table.toString();
    }
}
