package dev.ossicle.harmony.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Splits with {@code java.util.regex}. Text between two matches is a piece too. */
final class RegexSplitter implements Splitter {
    private final Pattern pattern;

    RegexSplitter(String pattern) {
        try {
            // With this flag \s is Unicode's White_Space and (?i) folds as Unicode does.
            this.pattern = Pattern.compile(pattern, Pattern.UNICODE_CHARACTER_CLASS);
        } catch (PatternSyntaxException e) {
            throw new TokenizerException("the split pattern is not understood: " + e.getMessage(), e);
        }
    }

    @Override
    public String pattern() {
        return pattern.pattern();
    }

    @Override
    public void split(byte[] utf8, int length, Pieces pieces) {
        String text = new String(utf8, 0, length, StandardCharsets.UTF_8);
        Matcher matcher = pattern.matcher(text);
        int chars = 0;
        int bytes = 0;
        try {
            while (matcher.find()) {
                if (matcher.start() > chars) {
                    int start = bytes + utf8Length(text, chars, matcher.start());
                    pieces.piece(bytes, start);
                    bytes = start;
                }
                if (matcher.end() > matcher.start()) {
                    int end = bytes + utf8Length(text, matcher.start(), matcher.end());
                    pieces.piece(bytes, end);
                    bytes = end;
                }
                chars = matcher.end();
            }
        } catch (StackOverflowError e) {
            throw new TokenizerException(
                    "the split pattern needs too deep a stack at char " + chars + ": encode a shorter text", e);
        }
        if (bytes < length) {
            pieces.piece(bytes, length);
        }
    }

    private static int utf8Length(String text, int from, int to) {
        int length = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            length += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return length;
    }
}
