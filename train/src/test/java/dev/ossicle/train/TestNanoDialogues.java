package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.train.Dialogue.Turn;
import dev.ossicle.train.NanoDialogues.Family;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class TestNanoDialogues {
    private static final long SEED = 5;
    private static final Pattern EQUATION = Pattern.compile("(\\d+) ([+-]) (\\d+) = (-?\\d+)");

    @Test
    void theSameSeedGivesTheSameConversations() {
        NanoDialogues one = new NanoDialogues(new SplittableRandom(SEED));
        NanoDialogues two = new NanoDialogues(new SplittableRandom(SEED));
        NanoDialogues other = new NanoDialogues(new SplittableRandom(SEED + 1));
        Set<Dialogue> different = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            Dialogue dialogue = one.next();
            assertThat(two.next()).isEqualTo(dialogue);
            different.add(dialogue);
            different.add(other.next());
        }
        assertThat(different).hasSizeGreaterThan(390);
    }

    @Test
    void everyEquationIsTrueAndAboutTheQuestion() {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        int equations = 0;
        for (int i = 0; i < 3000; i++) {
            for (Turn turn : dialogues.next().turns()) {
                Matcher matcher = EQUATION.matcher(turn.analysis() + "\n" + turn.answer());
                while (matcher.find()) {
                    int a = Integer.parseInt(matcher.group(1));
                    int b = Integer.parseInt(matcher.group(3));
                    int result = matcher.group(2).equals("+") ? a + b : a - b;
                    assertThat(Integer.parseInt(matcher.group(4)))
                            .as("%s, seed %d", turn, SEED)
                            .isEqualTo(result);
                    if (turn.user().chars().anyMatch(Character::isDigit)) {
                        assertThat(turn.user()).contains(matcher.group(1), matcher.group(3));
                    }
                    equations++;
                }
            }
        }
        assertThat(equations).isGreaterThan(2000);
    }

    @Test
    void aQuestionHasOneAnswer() {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        Map<String, Turn> seen = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            Dialogue dialogue = dialogues.next();
            boolean brief = NanoDialogues.SHORT.equals(dialogue.instructions());
            for (Turn turn : dialogue.turns()) {
                String key = dialogue.effort() + " " + brief + " " + turn.user();
                Turn before = seen.putIfAbsent(key, turn);
                assertThat(before == null ? turn : before).as("seed %d", SEED).isEqualTo(turn);
            }
        }
    }

    @Test
    void moreEffortThinksLonger() {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        for (int a = 0; a < 10; a++) {
            for (int b = 0; b < 10; b++) {
                Turn low = dialogues
                        .sum("What is {a} + {b}?", a, b, ReasoningEffort.LOW)
                        .turns()
                        .getFirst();
                Turn medium = dialogues
                        .sum("What is {a} + {b}?", a, b, ReasoningEffort.MEDIUM)
                        .turns()
                        .getFirst();
                Turn high = dialogues
                        .sum("What is {a} + {b}?", a, b, ReasoningEffort.HIGH)
                        .turns()
                        .getFirst();
                assertThat(low.answer())
                        .isEqualTo(a + " + " + b + " = " + (a + b))
                        .isEqualTo(medium.answer())
                        .isEqualTo(high.answer());
                assertThat(low.analysis()).isEmpty();
                assertThat(medium.analysis()).isNotEmpty();
                assertThat(high.analysis()).hasSizeGreaterThan(medium.analysis().length());
                if (b > 0) {
                    assertThat(high.analysis()).contains(b + " more is " + (a + b) + ".");
                }
            }
        }
    }

    @Test
    void heldOutQuestionsAreNeverTaught() {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        Set<String> taught = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            dialogues.next().turns().forEach(turn -> taught.add(turn.user().toLowerCase(Locale.ROOT)));
        }
        NanoDialogues asked = new NanoDialogues(new SplittableRandom(SEED + 1));
        for (Family family : Family.values()) {
            for (int i = 0; i < 100; i++) {
                String question = asked.heldOut(family, ReasoningEffort.LOW)
                        .turns()
                        .getFirst()
                        .user();
                assertThat(taught).as("seed %d", SEED).doesNotContain(question.toLowerCase(Locale.ROOT));
            }
        }
    }

    @Test
    void allFamiliesAndEffortsOccur() {
        NanoDialogues dialogues = new NanoDialogues(new SplittableRandom(SEED));
        Set<String> families = new HashSet<>();
        Set<ReasoningEffort> efforts = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            Dialogue dialogue = dialogues.next();
            efforts.add(dialogue.effort());
            dialogue.turns().forEach(turn -> families.add(turn.family()));
        }
        assertThat(efforts).containsExactlyInAnyOrder(ReasoningEffort.values());
        assertThat(families).hasSize(Family.values().length);
    }
}
