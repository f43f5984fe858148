package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.Locale;

/** Reversing a word, counting a letter in it, writing it in capitals: letter by letter in the thoughts. */
final class Spelling implements Family {
    private static final Phrasings REVERSE = Phrasings.read("reverse");
    private static final Phrasings COUNT = Phrasings.read("count");
    private static final Phrasings UPPER = Phrasings.read("upper");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        String word = draw.word(3, 8);
        String shown = draw.oneIn(6) ? word : "\"" + word + "\"";
        return switch (draw.below(3)) {
            case 0 -> reverse(draw.around(REVERSE.pick(draw).replace("{w}", shown)), word, effort);
            case 1 -> {
                char letter = draw.oneIn(4) ? (char) ('a' + draw.below(26)) : word.charAt(draw.below(word.length()));
                String shownLetter = draw.oneIn(4) ? "" + letter : "\"" + letter + "\"";
                yield count(
                        draw.around(COUNT.pick(draw).replace("{w}", shown).replace("{l}", shownLetter)),
                        word,
                        letter,
                        effort);
            }
            default -> upper(draw.around(UPPER.pick(draw).replace("{w}", shown)), word, effort);
        };
    }

    private static Turn reverse(String user, String word, ReasoningEffort effort) {
        StringBuilder forwards = new StringBuilder();
        StringBuilder backwards = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            forwards.append(i + 1).append(word.charAt(i));
            backwards.insert(0, (i + 1) + word.substring(i, i + 1));
        }
        String analysis = Family.thoughts(
                effort,
                forwards + " " + backwards,
                "Forwards " + forwards + ", backwards " + backwards + ".",
                "The user wants the word backwards. I number its letters: " + forwards
                        + ". I read them from the last to the first: " + backwards + ". Now without the numbers.");
        return Turn.of(
                "spelling", user, analysis, new StringBuilder(word).reverse().toString());
    }

    private static Turn count(String user, String word, char letter, ReasoningEffort effort) {
        StringBuilder counted = new StringBuilder();
        int count = 0;
        for (int i = 0; i < word.length(); i++) {
            count += word.charAt(i) == letter ? 1 : 0;
            counted.append(word.charAt(i)).append(count);
        }
        String analysis = Family.thoughts(
                effort,
                letter + ": " + counted,
                "I count " + letter + ": " + counted + ".",
                "The user wants to know how often " + letter + " occurs. I go through the word and count: " + counted
                        + ". The last number is the answer.");
        return Turn.of("spelling", user, analysis, count + (count == 1 ? " time." : " times."));
    }

    private static Turn upper(String user, String word, ReasoningEffort effort) {
        StringBuilder numbered = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            numbered.append(i + 1).append(word.charAt(i));
        }
        String analysis = Family.thoughts(
                effort,
                numbered.toString(),
                "Letters " + numbered + ".",
                "The user wants the word in capital letters. I number its letters: " + numbered
                        + ". Now each as a capital.");
        return Turn.of("spelling", user, analysis, word.toUpperCase(Locale.ROOT));
    }
}
