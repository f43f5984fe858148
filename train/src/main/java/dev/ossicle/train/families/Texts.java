package dev.ossicle.train.families;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The word lists beside this class: one entry a line. */
final class Texts {
    static final List<String> NAMES = lines("names");
    static final List<String> PREFIXES = lines("prefixes");
    static final List<String> SUFFIXES = lines("suffixes");

    private Texts() {}

    static List<String> lines(String name) {
        try (InputStream in = Texts.class.getResourceAsStream("/dev/ossicle/train/families/" + name + ".txt")) {
            if (in == null) {
                throw new IllegalStateException("this build has no " + name + ".txt");
            }
            return new String(in.readAllBytes(), UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lines {@code key = value}. */
    static Map<String, String> pairs(String name) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String line : lines(name)) {
            int mark = line.indexOf(" = ");
            pairs.put(line.substring(0, mark), line.substring(mark + 3));
        }
        return pairs;
    }
}
