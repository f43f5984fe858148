package dev.ossicle.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Regular expressions in ECMA-262's syntax, as far as they are regular: without look-around, back-references and word
 * boundaries. Anchors stand at the ends of the pattern or of its alternatives.
 *
 * <p>Where ECMA-262 and java.util.regex differ in what a class holds ({@code . \s \S}), a text must satisfy both.
 */
final class RegexParser {
    private static final int MAX_DEPTH = 100;
    private static final CodePoints DIGITS = CodePoints.range('0', '9');
    private static final CodePoints WORD =
            DIGITS.or(CodePoints.range('a', 'z')).or(CodePoints.range('A', 'Z')).or(CodePoints.of("_"));
    private static final CodePoints ASCII_SPACE = CodePoints.of(" \t\n\u000B\f\r");
    private static final CodePoints SPACE =
            ASCII_SPACE.or(CodePoints.matching(c -> c == 0xFEFF || Character.isSpaceChar(c) || c == 0x85));
    private static final CodePoints LINE_ENDS = CodePoints.of("\n\r\u0085\u2028\u2029");

    private final Expressions expressions;
    private final CodePoints.Encoding encoding;
    private final String pattern;
    private final String path;
    private int at;
    private int depth;

    /** @param path what errors call the place where the pattern stands */
    RegexParser(Expressions expressions, CodePoints.Encoding encoding, String pattern, String path) {
        this.expressions = expressions;
        this.encoding = encoding;
        this.pattern = pattern;
        this.path = path;
    }

    /** Texts that match from their beginning to their end. */
    Expression whole() {
        return parse(expressions.empty);
    }

    /** Texts in which something matches. */
    Expression search() {
        return parse(expressions.repeat(encoding.encode(CodePoints.ALL), 0, Expression.UNBOUNDED));
    }

    /** @param around what may stand where there is no anchor */
    private Expression parse(Expression around) {
        List<Expression> alternatives = new ArrayList<>();
        do {
            Expression before = take('^') ? expressions.empty : around;
            Expression body = concatenation();
            Expression after = take('$') ? expressions.empty : around;
            alternatives.add(expressions.sequence(before, body, after));
        } while (take('|'));
        if (at < pattern.length()) {
            throw fail(pattern.charAt(at) == ')' ? "there is no group to close" : "only the end can come after $");
        }
        return expressions.choice(alternatives);
    }

    private Expression alternation() {
        List<Expression> alternatives = new ArrayList<>();
        do {
            alternatives.add(concatenation());
            if (peek('$')) {
                throw fail("an anchor inside a group is not supported");
            }
        } while (take('|'));
        return expressions.choice(alternatives);
    }

    private Expression concatenation() {
        List<Expression> parts = new ArrayList<>();
        while (at < pattern.length() && !peek('|') && !peek(')') && !peek('$')) {
            parts.add(quantified(atom()));
        }
        return expressions.sequence(parts);
    }

    private Expression quantified(Expression atom) {
        if (at == pattern.length()) {
            return atom;
        }
        int min;
        int max;
        switch (pattern.charAt(at)) {
            case '*' -> {
                min = 0;
                max = Expression.UNBOUNDED;
                at++;
            }
            case '+' -> {
                min = 1;
                max = Expression.UNBOUNDED;
                at++;
            }
            case '?' -> {
                min = 0;
                max = 1;
                at++;
            }
            case '{' -> {
                at++;
                min = count();
                max = min;
                if (take(',')) {
                    max = peek('}') ? Expression.UNBOUNDED : count();
                }
                expect('}');
                if (max < min) {
                    throw fail("a repetition's bounds are in the wrong order");
                }
            }
            default -> {
                return atom;
            }
        }
        take('?'); // lazy: the same texts
        if (at < pattern.length() && "*+?{".indexOf(pattern.charAt(at)) >= 0) {
            throw fail("a quantifier cannot follow a quantifier");
        }
        return expressions.repeat(atom, min, max);
    }

    private int count() {
        int start = at;
        while (at < pattern.length() && pattern.charAt(at) >= '0' && pattern.charAt(at) <= '9') {
            at++;
        }
        if (at == start || at - start > 6) {
            throw fail("expected a count of up to six digits");
        }
        return Integer.parseInt(pattern.substring(start, at));
    }

    private Expression atom() {
        char c = pattern.charAt(at);
        return switch (c) {
            case '(' -> group();
            case '[' -> encode(characterClass());
            case '.' -> {
                at++;
                yield encode(LINE_ENDS.not());
            }
            case '\\' -> encode(escape(false));
            case '^' -> throw fail("an anchor is supported only at the ends of the pattern or of its alternatives");
            case '*', '+', '?', '{' -> throw fail("there is nothing to repeat");
            default -> {
                int codePoint = pattern.codePointAt(at);
                at += Character.charCount(codePoint);
                yield encode(CodePoints.range(codePoint, codePoint));
            }
        };
    }

    private Expression encode(CodePoints set) {
        return encoding.encode(set);
    }

    private Expression group() {
        at++;
        if (++depth > MAX_DEPTH) {
            throw fail("groups are nested deeper than " + MAX_DEPTH);
        }
        if (take('?')) {
            if (pattern.startsWith("<", at) && !pattern.startsWith("<=", at) && !pattern.startsWith("<!", at)) {
                int end = pattern.indexOf('>', at);
                if (end < 0) {
                    throw fail("a group's name has no end");
                }
                at = end + 1;
            } else if (!take(':')) {
                throw fail("look-around and inline flags are not supported");
            }
        }
        Expression body = alternation();
        expect(')');
        depth--;
        return body;
    }

    private CodePoints characterClass() {
        at++;
        boolean negated = take('^');
        CodePoints result = CodePoints.NONE;
        while (!peek(']')) {
            if (at == pattern.length()) {
                throw fail("a character class has no end");
            }
            if (peek('[') || pattern.startsWith("&&", at)) {
                // Java would take these as a class within a class: one meaning for both, or none.
                throw fail("[ and && in a character class must be escaped");
            }
            CodePoints low = classMember(negated);
            if (peek('-') && !pattern.startsWith("-]", at)) {
                at++;
                if (at == pattern.length()) {
                    throw fail("a character class has no end");
                }
                CodePoints high = classMember(negated);
                result = result.or(CodePoints.range(single(low), Math.max(single(low), single(high))));
                if (single(low) > single(high)) {
                    throw fail("a range's ends are in the wrong order");
                }
            } else {
                result = result.or(low);
            }
        }
        at++;
        return negated ? result.not() : result;
    }

    private int single(CodePoints set) {
        int member = set.only();
        if (member < 0) {
            throw fail("a range needs single characters as its ends");
        }
        return member;
    }

    private CodePoints classMember(boolean negated) {
        if (peek('\\')) {
            return escape(negated);
        }
        int codePoint = pattern.codePointAt(at);
        at += Character.charCount(codePoint);
        return CodePoints.range(codePoint, codePoint);
    }

    /** @param negated whether what is found will be left out instead */
    private CodePoints escape(boolean negated) {
        at++;
        if (at == pattern.length()) {
            throw fail("\\ at the end");
        }
        char c = pattern.charAt(at++);
        return switch (c) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> negated ? SPACE : ASCII_SPACE;
            case 'S' -> (negated ? ASCII_SPACE : SPACE).not();
            case 't' -> CodePoints.of("\t");
            case 'n' -> CodePoints.of("\n");
            case 'r' -> CodePoints.of("\r");
            case 'f' -> CodePoints.of("\f");
            case 'v' -> CodePoints.of("\u000B");
            case 'x' -> codePoint(hex(2));
            case 'u' -> unicode();
            case 'p' -> property();
            case 'P' -> property().not();
            case '0' -> {
                if (at < pattern.length() && Character.isDigit(pattern.charAt(at))) {
                    throw fail("an octal escape is not supported");
                }
                yield codePoint(0);
            }
            case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k' -> throw fail("a back-reference is not supported");
            case 'b', 'B' -> throw fail("a word boundary is not supported");
            default -> {
                if (c < 128 && Character.isLetter(c)) {
                    throw fail("unknown escape \\" + c);
                }
                int codePoint = pattern.codePointAt(at - 1);
                at += Character.charCount(codePoint) - 1;
                yield codePoint(codePoint);
            }
        };
    }

    private static CodePoints codePoint(int value) {
        return CodePoints.range(value, value);
    }

    private CodePoints unicode() {
        if (take('{')) {
            int end = pattern.indexOf('}', at);
            if (end < 0 || end - at > 6 || end == at) {
                throw fail("expected up to six hexadecimal digits and }");
            }
            int value = hex(end - at);
            at++;
            if (value > Character.MAX_CODE_POINT) {
                throw fail("there is no such code point");
            }
            return codePoint(value);
        }
        int value = hex(4);
        if (Character.isHighSurrogate((char) value) && pattern.startsWith("\\u", at)) {
            at += 2;
            int low = hex(4);
            if (Character.isLowSurrogate((char) low)) {
                return codePoint(Character.toCodePoint((char) value, (char) low));
            }
        }
        if (Character.isSurrogate((char) value)) {
            throw fail("half of a surrogate pair is not a character");
        }
        return codePoint(value);
    }

    private int hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit =
                    at < pattern.length() && pattern.charAt(at) < 128 ? Character.digit(pattern.charAt(at), 16) : -1;
            if (digit < 0) {
                throw fail("expected " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return value;
    }

    private CodePoints property() {
        int end = pattern.indexOf('}', at);
        if (!take('{') || end < 0) {
            throw fail("expected {, a general category such as L or Lu, and }");
        }
        String name = pattern.substring(at, end).replaceFirst("^(gc|General_Category)=", "");
        Set<Integer> types = CATEGORIES.get(name.toLowerCase(Locale.ROOT));
        if (types == null) {
            throw fail("property " + name + " is not supported: only general categories are, such as L or Lu");
        }
        at = end + 1;
        return CodePoints.matching(c -> types.contains(Character.getType(c)));
    }

    /** Unicode's general categories: two letters, or one for all that begin with it. */
    private static final Map<String, Set<Integer>> CATEGORIES = new HashMap<>();

    static {
        String[] names = {
            "lu", "ll", "lt", "lm", "lo", "mn", "me", "mc", "nd", "nl", "no", "zs", "zl", "zp", "cc", "cf", "pd", "ps",
            "pe", "pc", "po", "sm", "sc", "sk", "so", "pi", "pf"
        };
        int[] types = {
            Character.UPPERCASE_LETTER,
            Character.LOWERCASE_LETTER,
            Character.TITLECASE_LETTER,
            Character.MODIFIER_LETTER,
            Character.OTHER_LETTER,
            Character.NON_SPACING_MARK,
            Character.ENCLOSING_MARK,
            Character.COMBINING_SPACING_MARK,
            Character.DECIMAL_DIGIT_NUMBER,
            Character.LETTER_NUMBER,
            Character.OTHER_NUMBER,
            Character.SPACE_SEPARATOR,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR,
            Character.CONTROL,
            Character.FORMAT,
            Character.DASH_PUNCTUATION,
            Character.START_PUNCTUATION,
            Character.END_PUNCTUATION,
            Character.CONNECTOR_PUNCTUATION,
            Character.OTHER_PUNCTUATION,
            Character.MATH_SYMBOL,
            Character.CURRENCY_SYMBOL,
            Character.MODIFIER_SYMBOL,
            Character.OTHER_SYMBOL,
            Character.INITIAL_QUOTE_PUNCTUATION,
            Character.FINAL_QUOTE_PUNCTUATION
        };
        for (int i = 0; i < names.length; i++) {
            CATEGORIES.put(names[i], Set.of(types[i]));
            CATEGORIES.merge(names[i].substring(0, 1), Set.of(types[i]), (a, b) -> {
                Set<Integer> both = new HashSet<>(a);
                both.addAll(b);
                return both;
            });
        }
    }

    private boolean peek(char c) {
        return at < pattern.length() && pattern.charAt(at) == c;
    }

    private boolean take(char c) {
        if (peek(c)) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char c) {
        if (!take(c)) {
            throw fail("expected " + c);
        }
    }

    private GrammarException fail(String problem) {
        return new GrammarException(path, "\"" + pattern + "\" at " + at + ": " + problem);
    }
}
