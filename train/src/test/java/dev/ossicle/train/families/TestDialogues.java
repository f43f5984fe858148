package dev.ossicle.train.families;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.Json;
import java.math.BigInteger;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class TestDialogues {
    private static final long SEED = 5;
    private static final Pattern EQUATION = Pattern.compile("(?<![-+\\d])(\\d+) ([-+*]) (\\d+) = (-?\\d+)");
    private static final Pattern COLUMN = Pattern.compile("(\\d+)((?:[-+]\\d)+)=(\\d+)");

    @Test
    void theSameSeedGivesTheSameConversations() {
        Dialogues one = Dialogues.taught(new SplittableRandom(SEED));
        Dialogues two = Dialogues.taught(new SplittableRandom(SEED));
        Dialogues other = Dialogues.taught(new SplittableRandom(SEED + 1));
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
    void everyEquationAndEveryColumnIsTrue() {
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        int equations = 0;
        int columns = 0;
        for (int i = 0; i < 3000; i++) {
            for (Turn turn : dialogues.next().turns()) {
                String text = turn.analysis() + "\n" + turn.answer();
                Matcher equation = EQUATION.matcher(text);
                while (equation.find()) {
                    BigInteger right = result(equation.group(1), equation.group(2), equation.group(3));
                    assertThat(equation.group(4)).as("%s, seed %d", turn, SEED).isEqualTo(right.toString());
                    equations++;
                }
                Matcher column = COLUMN.matcher(text);
                while (column.find()) {
                    BigInteger right = new BigInteger(column.group(1));
                    String steps = column.group(2);
                    for (int at = 0; at < steps.length(); at += 2) {
                        right = result(right.toString(), steps.substring(at, at + 1), steps.substring(at + 1, at + 2));
                    }
                    assertThat(column.group(3)).as("%s, seed %d", turn, SEED).isEqualTo(right.toString());
                    columns++;
                }
            }
        }
        assertThat(equations).isGreaterThan(1000);
        assertThat(columns).isGreaterThan(1000);
    }

    private static BigInteger result(String a, String sign, String b) {
        BigInteger x = new BigInteger(a);
        BigInteger y = new BigInteger(b);
        return sign.equals("+") ? x.add(y) : sign.equals("-") ? x.subtract(y) : x.multiply(y);
    }

    @Test
    void sumsAndDifferencesAreAsColumnsSay() {
        for (int a = 0; a < 1000; a += 7) {
            for (int b = 0; b < 1000; b += 13) {
                assertThat(Sum.turn("", a, b, ReasoningEffort.LOW).answer()).endsWith("= " + (a + b));
                Turn difference = Difference.turn("", a, b, ReasoningEffort.LOW);
                assertThat(difference.answer()).endsWith("= " + (a - b));
                if (Math.max(a, b) > 9) {
                    assertThat(fromColumns(difference.analysis())).isEqualTo(Math.abs(a - b));
                    assertThat(difference.analysis().startsWith("Less than 0.")).isEqualTo(a < b);
                }
            }
        }
    }

    /** The last digit of each column, from the right. */
    private static int fromColumns(String analysis) {
        Matcher column = COLUMN.matcher(analysis);
        int value = 0;
        int place = 1;
        while (column.find()) {
            value += place * (Integer.parseInt(column.group(3)) % 10);
            place *= 10;
        }
        return value;
    }

    /** Where nothing comes back from a tool, what was said before and the question decide what is right. */
    @Test
    void aQuestionHasOneAnswer() {
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        Map<String, Turn> seen = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            Dialogue dialogue = dialogues.next();
            String before = dialogue.effort() + " " + dialogue.python() + dialogue.functions();
            for (Turn turn : dialogue.turns()) {
                before += "\n" + turn.user();
                Turn other = seen.putIfAbsent(before, turn);
                if (other != null && turn.call() == null) {
                    assertThat(turn).as("seed %d", SEED).isEqualTo(other);
                }
            }
        }
    }

    @Test
    void moreEffortThinksLonger() {
        for (String family : Dialogues.FAMILIES) {
            Map<ReasoningEffort, Integer> length = new EnumMap<>(ReasoningEffort.class);
            for (int i = 0; i < 50; i++) {
                for (ReasoningEffort effort : ReasoningEffort.values()) {
                    Dialogue dialogue =
                            Dialogues.heldOut(new SplittableRandom(SEED + i)).of(family, effort);
                    length.merge(effort, dialogue.turns().getLast().analysis().length(), Integer::sum);
                }
            }
            assertThat(List.copyOf(length.values())).as(family).isSorted().doesNotHaveDuplicates();
        }
    }

    @Test
    void heldOutQuestionsAreNeverTaught() {
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        Set<String> taught = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            dialogues.next().turns().forEach(turn -> taught.add(turn.user().toLowerCase(Locale.ROOT)));
        }
        Dialogues asked = Dialogues.heldOut(new SplittableRandom(SEED + 1));
        for (String family : Dialogues.FAMILIES) {
            for (int i = 0; i < 100; i++) {
                for (Turn turn : asked.of(family, ReasoningEffort.LOW).turns()) {
                    assertThat(taught)
                            .as("seed %d", SEED)
                            .doesNotContain(turn.user().toLowerCase(Locale.ROOT));
                }
            }
        }
    }

    @Test
    void callsNameADeclaredFunctionAndItsParameters() {
        Dialogues dialogues = Dialogues.heldOut(new SplittableRandom(SEED));
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            Dialogue dialogue = dialogues.of("function", ReasoningEffort.LOW);
            Turn.Call call = Objects.requireNonNull(dialogue.turns().getFirst().call());
            String name = call.recipient().substring("functions.".length());
            assertThat(dialogue.functions()).extracting("name").contains(name);
            assertThat(Json.parse(call.body()).toString()).isEqualTo(call.body());
            assertThat(dialogue.turns().getFirst().answer()).contains(call.result());
            names.add(name);
        }
        assertThat(names).hasSizeGreaterThan(250);
    }

    @Test
    void allFamiliesAndEffortsOccur() {
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        Set<String> families = new HashSet<>();
        Set<ReasoningEffort> efforts = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            Dialogue dialogue = dialogues.next();
            efforts.add(dialogue.effort());
            families.addAll(dialogue.turns().stream().map(Turn::family).collect(Collectors.toSet()));
        }
        assertThat(efforts).containsExactlyInAnyOrder(ReasoningEffort.values());
        assertThat(families)
                .containsAll(List.of("identity", "sum", "spelling", "function", "python", "too large", "memory"))
                .isSubsetOf(Dialogues.FAMILIES);
    }
}
