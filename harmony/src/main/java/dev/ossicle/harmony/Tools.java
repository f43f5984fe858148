package dev.ossicle.harmony;

import java.util.Collections;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/** Tool namespaces by name, kept in the order of the names' bytes. */
final class Tools {
    // UTF-8 orders as code points do, UTF-16 does not.
    private static final Comparator<String> BY_BYTES = (a, b) -> {
        int mismatch = 0;
        while (mismatch < a.length() && mismatch < b.length() && a.charAt(mismatch) == b.charAt(mismatch)) {
            mismatch++;
        }
        if (mismatch == a.length() || mismatch == b.length()) {
            return Integer.compare(a.length(), b.length());
        }
        char x = a.charAt(mismatch);
        char y = b.charAt(mismatch);
        return Character.isSurrogate(x) == Character.isSurrogate(y)
                ? Character.compare(x, y)
                : Boolean.compare(Character.isSurrogate(x), Character.isSurrogate(y));
    };

    private Tools() {}

    static Map<String, ToolNamespace> copy(Map<String, ToolNamespace> tools) {
        TreeMap<String, ToolNamespace> sorted = new TreeMap<>(BY_BYTES);
        sorted.putAll(tools);
        return Collections.unmodifiableMap(sorted);
    }

    /** With one more, which takes the place of one of the same name. */
    static Map<String, ToolNamespace> with(Map<String, ToolNamespace> tools, ToolNamespace namespace) {
        TreeMap<String, ToolNamespace> more = new TreeMap<>(BY_BYTES);
        more.putAll(tools);
        more.put(namespace.name(), namespace);
        return more;
    }
}
