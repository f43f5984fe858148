package dev.ossicle.train.families;

import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * Random choices. What is held out for the evaluation is told by a hash of the thing itself, so training never meets it,
 * whatever the seed.
 *
 * @param heldOut whether words, numbers and phrasings are the ones that training never sees
 * @param easy whether words and numbers are short, as at the beginning of training
 */
record Draw(RandomGenerator random, boolean heldOut, boolean easy) {
    private static final String CONSONANTS = "bcdfghjklmnpqrstvwxyz";

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    /** A whole number of up to that many digits, each length as likely. */
    long number(int maxDigits) {
        int digits = 1 + below(easy ? Math.max(1, maxDigits / 2) : maxDigits);
        long least = digits == 1 ? 0 : Math.round(Math.pow(10, digits - 1.0));
        return random.nextLong(least, Math.round(Math.pow(10, digits)));
    }

    /** Whether this thing may be used here; asked until something may. */
    boolean suits(Object thing) {
        int mixed = (thing.hashCode() * 0x9E37_79B9) >>> 8;
        return (mixed % 10 == 0) == heldOut;
    }

    /** A word that hardly exists. */
    String word(int least, int most) {
        while (true) {
            int length = random.nextInt(least, (easy ? least : most) + 1);
            String word = oneIn(3) ? letters(length) : syllables(length);
            if (suits(word)) {
                return word;
            }
        }
    }

    private String letters(int length) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + below(26)));
        }
        return word.toString();
    }

    private String syllables(int length) {
        StringBuilder word = new StringBuilder(oneIn(4) ? "" + "aeiou".charAt(below(5)) : "");
        while (word.length() < length) {
            word.append(CONSONANTS.charAt(below(CONSONANTS.length())));
            word.append("aeiou".charAt(below(5)));
            switch (below(6)) {
                case 0 -> word.append("lnrst".charAt(below(5)));
                case 1 -> word.append(word.charAt(word.length() - 1) == 'e' ? "e" : "tt");
                case 2 -> word.append("aeiou".charAt(below(5)));
                default -> {
                    // An open syllable.
                }
            }
        }
        return word.substring(0, length);
    }

    /** A name or place. */
    String name() {
        boolean known = oneIn(3) != easy;
        return known ? pick(Texts.NAMES) : capitalised(word(3, 7));
    }

    String date() {
        return LocalDate.of(2025, 1, 1).plusDays(below(4017)).toString();
    }

    static String capitalised(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    /** What people vary around a question without meaning anything by it; nothing where phrasings are held out. */
    String around(String user) {
        if (heldOut) {
            return user;
        }
        return switch (below(14)) {
            case 0 -> pick(Texts.PREFIXES) + " " + user;
            case 1 -> user + " " + pick(Texts.SUFFIXES);
            case 2 -> user.replaceAll("[.?!]$", "");
            default -> user;
        };
    }

    /** The same for questions whose letters may be small too. */
    String vary(String user) {
        if (!heldOut && oneIn(12)) {
            return user.toLowerCase(Locale.ROOT);
        }
        return around(user);
    }
}
