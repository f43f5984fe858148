package dev.ossicle.grammar;

import dev.ossicle.grammar.Expression.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * llama.cpp's grammar notation: rules {@code name ::= alternative | alternative} of literals, character classes, {@code .},
 * groups and rule names, each with {@code * + ? {m} {m,} {m,n}}. A rule ends with its line, except within parentheses or
 * before and after {@code |} and {@code ::=}.
 */
final class GbnfParser {
    private static final int MAX_DEPTH = 100;

    private final Expressions expressions;
    private final CodePoints.Encoding encoding;
    private final String text;
    private final Map<String, Rule> rules = new LinkedHashMap<>();

    /** Where each rule was first named, for those that are never defined. */
    private final Map<String, Integer> named = new LinkedHashMap<>();

    private int at;
    private int depth;

    GbnfParser(Expressions expressions, String text) {
        this.expressions = expressions;
        this.encoding = new CodePoints.Plain(expressions);
        this.text = text;
    }

    Expression parse() {
        skip(true);
        while (at < text.length()) {
            int start = at;
            Rule rule = rule(name());
            if (rule.defined()) {
                at = start;
                throw fail("rule " + rule.name + " is defined twice");
            }
            skip(true);
            if (!text.startsWith("::=", at)) {
                throw fail("expected ::=");
            }
            at += 3;
            skip(true);
            rule.define(alternatives());
            if (at < text.length() && text.charAt(at) != '\n') {
                throw fail("expected the end of the line");
            }
            skip(true);
        }
        for (Rule rule : rules.values()) {
            if (!rule.defined()) {
                at = named.getOrDefault(rule.name, 0);
                throw fail("rule " + rule.name + " is not defined");
            }
        }
        Rule root = rules.get("root");
        if (root == null) {
            throw fail("there is no rule named root");
        }
        return expressions.reference(root);
    }

    private Rule rule(String name) {
        named.putIfAbsent(name, at - name.length());
        return rules.computeIfAbsent(name, Rule::new);
    }

    private String name() {
        int start = at;
        while (at < text.length() && isNamePart(text.charAt(at))) {
            at++;
        }
        if (at == start) {
            throw fail("expected a rule's name");
        }
        return text.substring(start, at);
    }

    private static boolean isNamePart(char c) {
        return c < 128 && Character.isLetterOrDigit(c) || c == '-' || c == '_';
    }

    private Expression alternatives() {
        List<Expression> found = new ArrayList<>();
        do {
            found.add(sequence());
        } while (takeBar());
        return expressions.choice(found);
    }

    private boolean takeBar() {
        int before = at;
        skip(true); // a | may begin a line
        if (at < text.length() && text.charAt(at) == '|') {
            at++;
            skip(true);
            return true;
        }
        at = depth > 0 ? at : before;
        return false;
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        skip(depth > 0);
        while (at < text.length() && "|)\n\r".indexOf(text.charAt(at)) < 0) {
            parts.add(quantified(item()));
            skip(depth > 0);
        }
        return expressions.sequence(parts);
    }

    private Expression item() {
        char c = text.charAt(at);
        return switch (c) {
            case '"' -> literal();
            case '[' -> characterClass();
            case '.' -> {
                at++;
                yield encoding.encode(CodePoints.ALL);
            }
            case '(' -> {
                at++;
                if (++depth > MAX_DEPTH) {
                    throw fail("groups are nested deeper than " + MAX_DEPTH);
                }
                Expression body = alternatives();
                if (at == text.length() || text.charAt(at) != ')') {
                    throw fail("expected )");
                }
                at++;
                depth--;
                yield body;
            }
            default -> {
                if (!isNamePart(c)) {
                    throw fail("unexpected " + c);
                }
                yield expressions.reference(rule(name()));
            }
        };
    }

    private Expression quantified(Expression item) {
        Expression result = item;
        while (at < text.length()) {
            switch (text.charAt(at)) {
                case '*' -> result = expressions.repeat(result, 0, Expression.UNBOUNDED);
                case '+' -> result = expressions.repeat(result, 1, Expression.UNBOUNDED);
                case '?' -> result = expressions.optional(result);
                case '{' -> {
                    at++;
                    int min = count();
                    int max = min;
                    if (text.startsWith(",", at)) {
                        at++;
                        max = text.startsWith("}", at) ? Expression.UNBOUNDED : count();
                    }
                    if (!text.startsWith("}", at) || max < min) {
                        throw fail("expected a repetition such as {2}, {2,} or {2,3}");
                    }
                    result = expressions.repeat(result, min, max);
                }
                default -> {
                    return result;
                }
            }
            at++;
        }
        return result;
    }

    private int count() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start || at - start > 6) {
            throw fail("expected a count of up to six digits");
        }
        return Integer.parseInt(text.substring(start, at));
    }

    private Expression literal() {
        at++;
        StringBuilder value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"' && text.charAt(at) != '\n') {
            value.appendCodePoint(character());
        }
        if (at == text.length() || text.charAt(at) != '"') {
            throw fail("a literal has no end");
        }
        at++;
        return expressions.literal(value.toString());
    }

    private Expression characterClass() {
        at++;
        boolean negated = text.startsWith("^", at);
        if (negated) {
            at++;
        }
        CodePoints set = CodePoints.NONE;
        while (at < text.length() && text.charAt(at) != ']' && text.charAt(at) != '\n') {
            int from = character();
            int to = from;
            if (text.startsWith("-", at) && !text.startsWith("-]", at)) {
                at++;
                if (at == text.length()) {
                    break;
                }
                to = character();
            }
            if (to < from) {
                throw fail("a range's ends are in the wrong order");
            }
            set = set.or(CodePoints.range(from, to));
        }
        if (at == text.length() || text.charAt(at) != ']') {
            throw fail("a character class has no end");
        }
        at++;
        return encoding.encode(negated ? set.not() : set);
    }

    private int character() {
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        if (c != '\\') {
            if (Character.isSurrogate((char) c) && c < 0x10000) {
                throw fail("half of a surrogate pair is not a character");
            }
            return c;
        }
        if (at == text.length()) {
            throw fail("\\ at the end");
        }
        char escaped = text.charAt(at++);
        return switch (escaped) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'x' -> hex(2);
            case 'u' -> hex(4);
            case 'U' -> hex(8);
            case '\\', '"', '[', ']', '-', '^' -> escaped;
            default -> throw fail("unknown escape \\" + escaped);
        };
    }

    private int hex(int digits) {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length() && text.charAt(at) < 128 ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0) {
                throw fail("expected " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        if (value > Character.MAX_CODE_POINT || value >= 0xD800 && value < 0xE000) {
            throw fail("there is no such character");
        }
        return (int) value;
    }

    /** Skips spaces and comments, and line ends where asked. */
    private void skip(boolean lines) {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                while (at < text.length() && text.charAt(at) != '\n') {
                    at++;
                }
            } else if (c == ' ' || c == '\t' || c == '\r' || lines && c == '\n') {
                at++;
            } else {
                return;
            }
        }
    }

    private GrammarException fail(String problem) {
        long line = 1 + text.substring(0, at).chars().filter(c -> c == '\n').count();
        int column = at - text.lastIndexOf('\n', at - 1);
        return new GrammarException("grammar line " + line + ", column " + column, problem);
    }
}
