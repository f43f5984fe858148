package dev.ossicle.tools.patch;

/**
 * A file's text. Patches know LF alone; a file whose lines all end in CR LF is shown to them with LF and keeps its own ends
 * when it is written. One with both stays as it is, and its CRs count as white space.
 */
record FileText(String text) {
    private boolean hasCarriageReturns() {
        int lines = text.length() - text.replace("\n", "").length();
        int pairs = (text.length() - text.replace("\r\n", "").length()) / 2;
        return lines > 0 && pairs == lines;
    }

    String replaceLineEnds() {
        return hasCarriageReturns() ? text.replace("\r\n", "\n") : text;
    }

    /** What is written for what a patch made of {@link #replaceLineEnds}. */
    String restoreLineEnds(String patched) {
        return hasCarriageReturns() ? patched.replace("\n", "\r\n") : patched;
    }
}
