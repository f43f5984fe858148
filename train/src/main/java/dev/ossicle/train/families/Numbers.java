package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.ArrayList;
import java.util.List;

/** Arithmetic on paper: what a tiny model can do digit by digit. */
final class Numbers {
    private static final List<String> PLACES = List.of("Ones", "Tens", "Hundreds");

    private Numbers() {}

    static String fill(String phrasing, long a, long b) {
        return phrasing.replace("{a}", String.valueOf(a)).replace("{b}", String.valueOf(b));
    }

    /** The numbers one above the other in as many columns, then each column from the right, with what is carried. */
    static String columns(int a, int b, boolean sum, ReasoningEffort effort) {
        int width = String.valueOf(Math.max(a, b)).length();
        String sign = sum ? "+" : "-";
        String both = padded(a, width) + sign + padded(b, width);
        List<String> steps = new ArrayList<>();
        int carry = 0;
        int x = a;
        int y = b;
        for (int i = 0; i < width; i++) {
            boolean last = i == width - 1;
            String step;
            String consequence;
            if (sum) {
                int column = x % 10 + y % 10 + carry;
                step = x % 10 + "+" + y % 10 + (carry == 1 ? "+1" : "") + "=" + column;
                carry = column / 10;
                consequence = last ? "" : ", write " + column % 10 + ", carry " + carry;
            } else {
                int lent = carry;
                carry = x % 10 < y % 10 + lent ? 1 : 0;
                step = 10 * carry + x % 10 + (lent == 1 ? "-1" : "") + "-" + y % 10 + "="
                        + (10 * carry + x % 10 - lent - y % 10);
                consequence = last ? "" : ", borrow " + carry;
            }
            steps.add(effort == ReasoningEffort.HIGH ? PLACES.get(i) + ": " + step + consequence + "." : step);
            x /= 10;
            y /= 10;
        }
        String line = both + ": " + String.join(" ", steps);
        return switch (effort) {
            case LOW -> line;
            case MEDIUM -> line + ".";
            case HIGH -> "The user asks for a " + (sum ? "sum" : "difference") + ". I do it column by column. " + line;
        };
    }

    private static String padded(int number, int width) {
        return "0".repeat(width - String.valueOf(number).length()) + number;
    }
}
