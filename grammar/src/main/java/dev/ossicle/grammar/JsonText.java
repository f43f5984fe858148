package dev.ossicle.grammar;

import dev.ossicle.grammar.Expression.Rule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parts that JSON texts are made of (RFC 8259), in the form in which models write them: after a colon and a comma one
 * space or none, and no other white space, so that none can go on for ever; numbers with so many digits at most as
 * {@link JsonNumbers} says.
 */
final class JsonText {
    private final Expressions expressions;
    final JsonNumbers numbers;

    /** One character of a string, in any of the ways to write it. An escaped pair of surrogates is one character. */
    final Expression character;

    final Expression quote;
    final Expression comma;
    final Expression space;
    private @Nullable Rule value;

    JsonText(Expressions expressions) {
        this.expressions = expressions;
        this.numbers = new JsonNumbers(expressions);
        this.quote = expressions.literal("\"");
        this.space = expressions.optional(expressions.literal(" "));
        this.comma = expressions.sequence(expressions.literal(","), space);
        Expression hex = set("0123456789abcdefABCDEF");
        Expression plain = new CodePoints.Plain(expressions)
                .encode(CodePoints.range(0x20, 0x10FFFF)
                        .and(CodePoints.of("\"\\").not()));
        Expression basic = expressions.choice(List.of(
                expressions.sequence(set("0123456789abcefABCEF"), hex, hex, hex),
                expressions.sequence(set("dD"), set("01234567"), hex, hex)));
        Expression pair = expressions.sequence(
                set("dD"), set("89abAB"), hex, hex, expressions.literal("\\u"), set("dD"), set("cdefCDEF"), hex, hex);
        Expression unicode = expressions.sequence(set("u"), expressions.choice(List.of(basic, pair)));
        Expression escape = expressions.sequence(set("\\"), expressions.choice(List.of(set("\"\\/bfnrt"), unicode)));
        this.character = expressions.choice(List.of(plain, escape));
    }

    private Expression set(String members) {
        ByteSet set = ByteSet.NONE;
        for (char c : members.toCharArray()) {
            set = set.or(ByteSet.of(c));
        }
        return expressions.bytes(set);
    }

    Expression quoted(Expression content) {
        return expressions.sequence(quote, content, quote);
    }

    Expression string() {
        return quoted(expressions.repeat(character, 0, Expression.UNBOUNDED));
    }

    /** Any value. */
    Expression value() {
        Rule rule = value;
        if (rule == null) {
            rule = new Rule("JSON value");
            value = rule;
            rule.define(expressions.choice(List.of(
                    string(),
                    numbers.any(),
                    object(),
                    array(),
                    expressions.literal("true"),
                    expressions.literal("false"),
                    expressions.literal("null"))));
        }
        return expressions.reference(rule);
    }

    /** Any object. */
    Expression object() {
        Expression member = expressions.sequence(string(), expressions.literal(":"), space, value());
        return expressions.sequence(
                expressions.literal("{"), listOf(member), expressions.literal("}"), expressions.level);
    }

    /** Any array. */
    Expression array() {
        return expressions.sequence(
                expressions.literal("["), listOf(value()), expressions.literal("]"), expressions.level);
    }

    private Expression listOf(Expression element) {
        Expression more = expressions.repeat(expressions.sequence(comma, element), 0, Expression.UNBOUNDED);
        return expressions.optional(expressions.sequence(element, more));
    }
}
