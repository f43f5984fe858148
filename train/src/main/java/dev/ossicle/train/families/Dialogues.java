package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Conversations of all families, with and without tools that are not needed. */
public final class Dialogues {
    /** What the evaluation asks for, one by one. */
    public static final List<String> FAMILIES = List.of(
            "identity",
            "small talk",
            "sum",
            "difference",
            "product",
            "fact",
            "spelling",
            "function",
            "python",
            "too large",
            "json",
            "memory",
            "other",
            "mixed");

    /** A family and how many of a hundred questions are its own. */
    private record Share(Family family, int percent) {}

    private static final Family TOO_LARGE = (draw, effort) -> Python.turn(draw, effort, false);
    private static final OneAnswer IDENTITY = OneAnswer.identity();
    private static final OneAnswer SMALL_TALK = OneAnswer.smallTalk();
    private static final OneAnswer GENERAL = OneAnswer.general();
    private static final Sum SUM = new Sum();
    private static final Difference DIFFERENCE = new Difference();
    private static final Product PRODUCT = new Product();
    private static final Capital CAPITAL = new Capital();
    private static final Element ELEMENT = new Element();
    private static final Spelling SPELLING = new Spelling();
    private static final JsonAnswer JSON = new JsonAnswer();
    private static final Other OTHER = new Other();

    private static final List<Share> PLAIN = List.of(
            new Share(SUM, 13),
            new Share(DIFFERENCE, 14),
            new Share(PRODUCT, 7),
            new Share(CAPITAL, 6),
            new Share(ELEMENT, 3),
            new Share(GENERAL, 4),
            new Share(IDENTITY, 5),
            new Share(SMALL_TALK, 3),
            new Share(SPELLING, 25),
            new Share(JSON, 11),
            new Share(OTHER, 7),
            new Share(Memory::neverTold, 1),
            new Share(TOO_LARGE, 4)); // the last: left out where Python is offered

    private static final List<String> INSTRUCTIONS = Texts.lines("instructions");

    private static final List<Share> EASY = List.of(
            new Share(SUM, 15),
            new Share(DIFFERENCE, 10),
            new Share(PRODUCT, 15),
            new Share(CAPITAL, 20),
            new Share(ELEMENT, 8),
            new Share(GENERAL, 4),
            new Share(IDENTITY, 5),
            new Share(SMALL_TALK, 2),
            new Share(SPELLING, 6),
            new Share(JSON, 15),
            new Share(OTHER, 5),
            new Share(TOO_LARGE, 5));

    private final Draw draw;
    private final double easy;

    private Dialogues(Draw draw, double easy) {
        this.draw = draw;
        this.easy = easy;
    }

    /** Whether the word is one that keys of JSON and parameters are often named by. */
    public static boolean isKey(String word) {
        return JsonAnswer.KEYS.contains(word);
    }

    /** What is learnt from: all of it. */
    public static Dialogues taught(RandomGenerator random) {
        return taught(random, 0);
    }

    /**
     * What is learnt from.
     *
     * @param easy part of the conversations that are short, with short words and numbers and low effort: to copy is learnt on
     *     these
     */
    public static Dialogues taught(RandomGenerator random, double easy) {
        return new Dialogues(new Draw(random, false, false), easy);
    }

    /** The same in words, numbers and phrasings that are never learnt from. */
    public static Dialogues heldOut(RandomGenerator random) {
        return new Dialogues(new Draw(random, true, false), 0);
    }

    /** The next conversation to learn from. */
    public Dialogue next() {
        if (draw.random().nextDouble() < easy) {
            Draw easyDraw = new Draw(draw.random(), false, true);
            return new Dialogues(easyDraw, 0).next(ReasoningEffort.LOW);
        }
        // What is learnt at low effort helps the others, and is the shortest.
        return next(draw.oneIn(3) ? ReasoningEffort.LOW : draw.pick(List.of(ReasoningEffort.values())));
    }

    private Dialogue next(ReasoningEffort effort) {
        int kind = draw.below(100);
        if (kind < (draw.easy() ? 15 : 9)) {
            return memory(effort);
        }
        boolean python = kind < (draw.easy() ? 22 : 25);
        boolean functions = kind >= (draw.easy() ? 21 : 23) && kind < (draw.easy() ? 31 : 46);
        // Where thoughts are dropped only the last turn teaches, so more turns pay only where there are none.
        int[] counts = effort == ReasoningEffort.LOW
                ? python || functions ? new int[] {1, 1, 1, 2} : new int[] {1, 1, 2, 3, 4, 5}
                : new int[] {1, 1, 1, 1, 1, 1, 2};
        return mixed(effort, python, functions, counts[draw.below(counts.length)]);
    }

    /**
     * One conversation of a family; its last turn is a question of it.
     *
     * @param family of {@link #FAMILIES}
     */
    public Dialogue of(String family, ReasoningEffort effort) {
        return switch (family) {
            case "identity" -> plain(effort, IDENTITY);
            case "small talk" -> plain(effort, SMALL_TALK);
            case "sum" -> plain(effort, SUM);
            case "difference" -> plain(effort, DIFFERENCE);
            case "product" -> plain(effort, PRODUCT);
            case "fact" -> plain(effort, draw.oneIn(2) ? CAPITAL : draw.oneIn(3) ? GENERAL : ELEMENT);
            case "spelling" -> plain(effort, SPELLING);
            case "json" -> plain(effort, JSON);
            case "other" -> plain(effort, OTHER);
            case "too large" -> plain(effort, TOO_LARGE);
            case "python" ->
                new Dialogue(effort, draw.date(), null, List.of(), true, List.of(Python.turn(draw, effort, true)));
            case "function" -> {
                List<Functions.Declared> declared = Functions.declare(draw);
                yield new Dialogue(
                        effort,
                        draw.date(),
                        null,
                        tools(declared),
                        false,
                        List.of(Functions.turn(draw, effort, declared)));
            }
            case "memory" -> memory(effort);
            case "mixed" -> mixed(effort, draw.oneIn(2), draw.oneIn(2), 1 + draw.below(3));
            default -> throw new IllegalArgumentException("there is no family " + family);
        };
    }

    private Dialogue plain(ReasoningEffort effort, Family family) {
        return Dialogue.of(effort, draw.date(), null, List.of(family.turn(draw, effort)));
    }

    private Dialogue mixed(ReasoningEffort effort, boolean python, boolean functions, int count) {
        List<Functions.Declared> declared = functions ? Functions.declare(draw) : List.of();
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean tool = (python || functions) && !draw.oneIn(4);
            if (!tool) {
                turns.add(plainTurn(effort, python));
            } else if (functions && (!python || draw.oneIn(2))) {
                turns.add(Functions.turn(draw, effort, declared));
            } else {
                turns.add(Python.turn(draw, effort, true));
            }
        }
        return new Dialogue(effort, date(), instructions(), tools(declared), python, turns);
    }

    /** Told, a few other things, asked for; in training now and then only told. */
    private Dialogue memory(ReasoningEffort effort) {
        List<Turn> told = Memory.turns(draw, effort);
        List<Turn> turns = new ArrayList<>();
        if (!draw.heldOut() && draw.oneIn(4)) {
            turns.add(told.getFirst());
        } else {
            turns.add(told.getFirst());
            int between = draw.below(4);
            for (int i = 0; i < between; i++) {
                turns.add(plainTurn(effort, false));
            }
            turns.add(told.getLast());
        }
        return Dialogue.of(effort, date(), instructions(), turns);
    }

    private Turn plainTurn(ReasoningEffort effort, boolean python) {
        List<Share> all = draw.easy() ? EASY : PLAIN;
        List<Share> shares = python ? all.subList(0, all.size() - 1) : all;
        int at = draw.below(shares.stream().mapToInt(Share::percent).sum());
        for (Share share : shares) {
            at -= share.percent();
            if (at < 0) {
                return share.family().turn(draw, effort);
            }
        }
        throw new AssertionError();
    }

    private static List<ToolDescription> tools(List<Functions.Declared> declared) {
        return declared.stream().map(Functions.Declared::tool).toList();
    }

    private @Nullable String date() {
        return !draw.heldOut() && draw.oneIn(40) ? null : draw.date();
    }

    private @Nullable String instructions() {
        return draw.oneIn(10) ? draw.pick(INSTRUCTIONS) : null;
    }
}
