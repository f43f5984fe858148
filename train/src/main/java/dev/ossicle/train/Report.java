package dev.ossicle.train;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.train.families.Dialogues;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** How many answers are exactly right, thoughts and calls included, by kind of question and by effort. */
record Report(List<Line> lines) {
    private static final long SEED = 20_261_123;

    /** One kind of question. */
    record Line(String questions, ReasoningEffort effort, int right, int asked) {}

    /** Asks that many questions of each family, at each effort, in phrasings, words and numbers that training never saw. */
    static Report of(Judge judge, Lessons lessons, int perFamily) {
        Dialogues dialogues = Dialogues.heldOut(new SplittableRandom(SEED));
        List<Line> lines = new ArrayList<>();
        for (String family : Dialogues.FAMILIES) {
            for (ReasoningEffort effort : ReasoningEffort.values()) {
                List<Example> examples = new ArrayList<>();
                for (int i = 0; i < perFamily; i++) {
                    examples.add(lessons.render(dialogues.of(family, effort)));
                }
                int right = 0;
                for (boolean one : judge.right(examples)) {
                    right += one ? 1 : 0;
                }
                lines.add(new Line(family, effort, right, examples.size()));
            }
        }
        return new Report(lines);
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
