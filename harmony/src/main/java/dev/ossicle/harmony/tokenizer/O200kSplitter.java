package dev.ossicle.harmony.tokenizer;

/**
 * o200k's split pattern by hand, on UTF-8, in one pass with no backtracking.
 *
 * <p>The categories are those of the running JDK's Unicode version.
 */
final class O200kSplitter implements Splitter {
    static final String PATTERN = String.join(
            "|",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            "\\p{N}{1,3}",
            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
            "\\s*[\\r\\n]+",
            "\\s+(?!\\S)",
            "\\s+");

    // What a character is; a mark is UPPER and LOWER without being a LETTER.
    private static final int UPPER = 1; // Lu Lt Lm Lo M
    private static final int LOWER = 2; // Ll Lm Lo M
    private static final int LETTER = 4; // L
    private static final int NUMBER = 8; // N
    private static final int SPACE = 16; // White_Space
    private static final int NEWLINE = 32; // CR, LF

    private static final int KNOWN = 64; // in KINDS, so that what was not looked at yet is 0

    /** Of the basic multilingual plane, filled in as characters come. Threads that race write the same. */
    private static final byte[] KINDS = new byte[0x10000];

    private static int kindOf(int codePoint) {
        if (codePoint >= KINDS.length) {
            return look(codePoint);
        }
        int kind = KINDS[codePoint];
        if (kind == 0) {
            kind = KNOWN | look(codePoint);
            KINDS[codePoint] = (byte) kind;
        }
        return kind;
    }

    private static int look(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> UPPER | LETTER;
            case Character.LOWERCASE_LETTER -> LOWER | LETTER;
            case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> UPPER | LOWER | LETTER;
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
                UPPER | LOWER;
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default ->
                codePoint == '\r' || codePoint == '\n'
                        ? SPACE | NEWLINE
                        : (codePoint >= 0x09 && codePoint <= 0x0D) || codePoint == 0x85 ? SPACE : 0;
        };
    }

    @Override
    public String pattern() {
        return PATTERN;
    }

    @Override
    public void split(byte[] utf8, int length, Pieces pieces) {
        for (int at = 0; at < length; ) {
            int end = next(utf8, at, length);
            pieces.piece(at, end);
            at = end;
        }
    }

    /** The end of the piece that begins at {@code at}. */
    private static int next(byte[] text, int at, int end) {
        int kind = kind(text, at);
        boolean leads = (kind & (LETTER | NUMBER | NEWLINE)) == 0;
        int word = word(text, at, leads ? at + width(text, at) : at, end);
        if (word >= 0) {
            return contraction(text, word, end);
        }
        if ((kind & NUMBER) != 0) {
            return number(text, at, end);
        }
        int mark = text[at] == ' ' && at + 1 < end ? at + 1 : at;
        if ((kind(text, mark) & (SPACE | LETTER | NUMBER)) == 0) {
            return punctuation(text, mark, end);
        }
        return whiteSpace(text, at, end);
    }

    /**
     * The first two alternatives: {@code [UPPER]*[LOWER]+}, else {@code [UPPER]+}, from {@code from}, which is behind
     * the leading character if there may be one.
     */
    private static int word(byte[] text, int at, int from, int end) {
        int i = from;
        int lower = -1;
        while (i < end) {
            int kind = kind(text, i);
            if ((kind & UPPER) == 0) {
                if ((kind & LOWER) == 0) {
                    break;
                }
                do {
                    i += width(text, i);
                } while (i < end && (kind(text, i) & LOWER) != 0);
                return i;
            }
            i += width(text, i);
            if ((kind & LOWER) != 0) {
                lower = i;
            }
        }
        // No small letter follows, so the last character that can stand for one ends the word.
        if (lower >= 0) {
            return lower;
        }
        // A leading mark can also stand for a small letter itself, and that alternative comes first.
        if (from > at && (kind(text, at) & LOWER) != 0) {
            return from;
        }
        return i > from ? i : -1;
    }

    private static int contraction(byte[] text, int at, int end) {
        if (at + 1 >= end || text[at] != '\'') {
            return at;
        }
        int first = text[at + 1];
        int second = at + 2 < end ? text[at + 2] : 0;
        return switch (first | 0x20) {
            case 's', 't', 'm', 'd' -> at + 2;
            case 'r', 'v' -> (second | 0x20) == 'e' ? at + 3 : at;
            case 'l' -> (second | 0x20) == 'l' ? at + 3 : at;
            // U+017F, the long s, folds to s.
            default -> first == (byte) 0xC5 && second == (byte) 0xBF ? at + 3 : at;
        };
    }

    private static int number(byte[] text, int at, int end) {
        int i = at;
        for (int digits = 0; digits < 3 && i < end && (kind(text, i) & NUMBER) != 0; digits++) {
            i += width(text, i);
        }
        return i;
    }

    private static int punctuation(byte[] text, int at, int end) {
        int i = at;
        while (i < end && (kind(text, i) & (SPACE | LETTER | NUMBER)) == 0) {
            i += width(text, i);
        }
        while (i < end && (text[i] == '\r' || text[i] == '\n' || text[i] == '/')) {
            i++;
        }
        return i;
    }

    private static int whiteSpace(byte[] text, int at, int end) {
        int i = at;
        int last = at;
        int newline = -1;
        while (i < end) {
            int kind = kind(text, i);
            if ((kind & SPACE) == 0) {
                break;
            }
            last = i;
            i += width(text, i);
            if ((kind & NEWLINE) != 0) {
                newline = i;
            }
        }
        if (newline >= 0) {
            return newline;
        }
        // All of it at the end of the text; else the last one is left to lead the next piece.
        return i == end || last == at ? i : last;
    }

    private static int kind(byte[] text, int at) {
        int b = text[at];
        if (b >= 0) {
            return kindOf(b);
        }
        if (b < (byte) 0xE0) {
            return kindOf((b & 0x1F) << 6 | (text[at + 1] & 0x3F));
        }
        if (b < (byte) 0xF0) {
            return kindOf((b & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F));
        }
        return kindOf((b & 7) << 18 | (text[at + 1] & 0x3F) << 12 | (text[at + 2] & 0x3F) << 6 | (text[at + 3] & 0x3F));
    }

    private static int width(byte[] text, int at) {
        int b = text[at];
        return b >= 0 ? 1 : b < (byte) 0xE0 ? 2 : b < (byte) 0xF0 ? 3 : 4;
    }
}
