package dev.ossicle.cli;

import java.util.Locale;

/** Large numbers as people read them. */
final class Sizes {
    private Sizes() {}

    /** Decimal units: 12.1 GB. */
    static String bytes(double bytes) {
        return scaled(bytes, "B", "kB", "MB", "GB", "TB");
    }

    /** 20.9 B as in billions, the way model cards count parameters. */
    static String count(double count) {
        return scaled(count, "", "k", "M", "B", "T");
    }

    private static String scaled(double value, String... units) {
        int unit = 0;
        double scaled = value;
        while (scaled >= 999.95 && unit < units.length - 1) {
            scaled /= 1000;
            unit++;
        }
        String number =
                unit == 0 ? String.format(Locale.ROOT, "%.0f", scaled) : String.format(Locale.ROOT, "%.1f", scaled);
        return (number + " " + units[unit]).strip();
    }
}
