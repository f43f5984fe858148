package dev.ossicle.train.families;

import java.util.ArrayList;
import java.util.List;

/**
 * Ways to put a question.
 *
 * @param heldOut those that training never sees: lines that begin with an exclamation mark
 */
record Phrasings(List<String> taught, List<String> heldOut) {
    static Phrasings of(List<String> lines) {
        List<String> taught = new ArrayList<>();
        List<String> heldOut = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("! ")) {
                heldOut.add(line.substring(2));
            } else {
                taught.add(line);
            }
        }
        return new Phrasings(taught, heldOut);
    }

    /** Of the resource file of that name. */
    static Phrasings read(String name) {
        return of(Texts.lines(name));
    }

    String pick(Draw draw) {
        return draw.pick(draw.heldOut() ? heldOut : taught);
    }
}
