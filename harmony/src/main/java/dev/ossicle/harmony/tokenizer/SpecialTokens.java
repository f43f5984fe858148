package dev.ossicle.harmony.tokenizer;

import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The special tokens: their names are the literals that stand for them in a text. */
final class SpecialTokens {
    private final Map<String, Integer> ids;
    private final BitSet members = new BitSet();
    private final BitSet firstChars = new BitSet();
    private final int[] lengths; // of the names, each once, the longest first

    private SpecialTokens(Map<String, Integer> ids) {
        this.ids = Collections.unmodifiableMap(new LinkedHashMap<>(ids));
        TreeSet<Integer> lengths = new TreeSet<>(Collections.reverseOrder());
        for (var entry : ids.entrySet()) {
            members.set(entry.getValue());
            firstChars.set(entry.getKey().charAt(0));
            lengths.add(entry.getKey().length());
        }
        this.lengths = new int[lengths.size()];
        int count = 0;
        for (int length : lengths) {
            this.lengths[count++] = length;
        }
    }

    Map<String, Integer> ids() {
        return ids;
    }

    boolean contains(int id) {
        return id >= 0 && members.get(id);
    }

    BitSet members() {
        return members;
    }

    /** The first literal at or after {@code from}, of several at one place the longest; null if there is none. */
    @Nullable
    Occurrence next(String text, int from) {
        for (int at = from; at < text.length(); at++) {
            if (!firstChars.get(text.charAt(at))) {
                continue;
            }
            for (int length : lengths) {
                if (at + length <= text.length()) {
                    String name = text.substring(at, at + length);
                    Integer id = ids.get(name);
                    if (id != null) {
                        return new Occurrence(at, name, id);
                    }
                }
            }
        }
        return null;
    }

    record Occurrence(int at, String name, int id) {
        int end() {
            return at + name.length();
        }
    }

    static final class Builder {
        private final Map<String, Integer> ids = new LinkedHashMap<>();
        private final Map<Integer, String> names = new LinkedHashMap<>();

        Builder add(String name, int id) {
            if (name.isEmpty()) {
                throw new TokenizerException("special token " + id + " has no name");
            }
            Integer otherId = ids.put(name, id);
            if (otherId != null && otherId != id) {
                throw new TokenizerException("special token " + name + " has two ids, " + otherId + " and " + id);
            }
            String otherName = names.put(id, name);
            if (otherName != null && !otherName.equals(name)) {
                throw new TokenizerException("id " + id + " has two names, " + otherName + " and " + name);
            }
            return this;
        }

        @Nullable
        String name(int id) {
            return names.get(id);
        }

        SpecialTokens build() {
            return new SpecialTokens(ids);
        }
    }
}
