package dev.ossicle.grammar;

import dev.ossicle.grammar.Expression.Rule;
import dev.ossicle.grammar.JsonNumbers.Bounds;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * JSON Schema to a grammar. What it takes, it enforces to the letter; what it cannot enforce, it refuses with the keyword's
 * path.
 */
final class SchemaCompiler {
    /** A multiple's remainders are states of the automaton. */
    private static final int MAX_DIVISOR = 1000;

    private final SchemaText schemas;
    private final Expressions expressions = new Expressions();
    private final JsonText text = new JsonText(expressions);
    private final CodePoints.Encoding encoding = new CodePoints.InJsonString(expressions);

    /** The rules of those schemas that can contain themselves, by where they stand or what they say. */
    private final Map<String, Rule> rules = new HashMap<>();

    private record Compiled(String path, Expression expression) {}

    /** In the order in which they were completed, so that the innermost impossible one comes first. */
    private final List<Compiled> compiled = new ArrayList<>();

    private SchemaCompiler(Json document) {
        this.schemas = new SchemaText(document);
    }

    static Grammar compile(Json schema) {
        return new SchemaCompiler(schema).grammar(schema, "$");
    }

    private Grammar grammar(Json schema, String path) {
        Expression root = value(schema, path);
        Grammar grammar = new Grammar(
                expressions, root, compiled.stream().map(Compiled::expression).toList());
        Automaton automaton = grammar.automaton(Grammar::oneTokenPerByte);
        for (Compiled one : compiled) {
            int cost = automaton.cost(one.expression);
            if (cost >= Automaton.NEVER) {
                throw new GrammarException(one.path, "no value of finite length can satisfy this");
            }
            if (cost >= Automaton.UNKNOWN) {
                throw new GrammarException(
                        one.path, "together these constraints are too complex, or ask for a text of a million bytes");
            }
        }
        return grammar;
    }

    /** A value that satisfies the schema. */
    private Expression value(Json schema, String path) {
        if (schema instanceof JsonBoolean all) {
            return all.value() ? text.value() : expressions.nothing;
        }
        if (!(schema instanceof JsonObject object)) {
            throw new GrammarException(path, "a schema is an object, true or false, not " + schema.kind());
        }
        schemas.check(object, path);
        Expression result = value(object, path);
        compiled.add(new Compiled(path, result));
        return result;
    }

    private Expression value(JsonObject schema, String path) {
        JsonObject constraints = SchemaText.constraints(schema);
        if (constraints.members().size() == 1 && constraints.get("$ref") instanceof JsonString reference) {
            SchemaText.Target target = schemas.resolve(reference.value(), path);
            return rule(target.path(), target.path(), () -> value(target.schema(), target.path()));
        }
        if (constraints.get("$ref") != null || constraints.get("allOf") != null) {
            return rule(
                    constraints.toString(), path, () -> value(schemas.flatten(constraints, path), path + " (merged)"));
        }
        if (constraints.get("anyOf") != null) {
            return anyOf(constraints, "anyOf", path);
        }
        if (constraints.get("oneOf") != null) {
            return anyOf(constraints, "oneOf", path);
        }
        if (constraints.get("enum") != null || constraints.get("const") != null) {
            return enumeration(constraints, path);
        }
        List<Expression> alternatives = new ArrayList<>();
        Set<String> types = SchemaText.types(constraints, path);
        if (types.isEmpty()) {
            return text.value();
        }
        for (String type : types) {
            alternatives.add(
                    switch (type) {
                        case "object" -> object(constraints, path);
                        case "array" -> array(constraints, path);
                        case "string" -> string(constraints, path);
                        case "number" -> number(constraints, path, false);
                        case "integer" ->
                            types.contains("number") ? expressions.nothing : number(constraints, path, true);
                        case "boolean" ->
                            expressions.choice(List.of(expressions.literal("true"), expressions.literal("false")));
                        case "null" -> expressions.literal("null");
                        default -> throw new GrammarException(path, "there is no type " + type);
                    });
        }
        return expressions.choice(alternatives);
    }

    private interface Body {
        Expression compile();
    }

    /** What may refer to itself, compiled once. */
    private Expression rule(String key, String name, Body body) {
        Rule rule = rules.get(key);
        if (rule == null) {
            rule = new Rule(name);
            rules.put(key, rule);
            rule.define(body.compile());
        }
        return expressions.reference(rule);
    }

    private Expression anyOf(JsonObject schema, String keyword, String path) {
        List<Json> branches = SchemaText.array(schema, keyword, path).elements();
        JsonObject rest = SchemaText.without(schema, keyword);
        List<Json> merged = new ArrayList<>();
        for (int i = 0; i < branches.size(); i++) {
            merged.add(
                    rest.members().isEmpty()
                            ? branches.get(i)
                            : schemas.merge(rest, branches.get(i), path, SchemaText.path(path, keyword, i)));
        }
        if (keyword.equals("oneOf")) {
            schemas.checkDisjoint(merged, path);
        }
        List<Expression> alternatives = new ArrayList<>();
        for (int i = 0; i < merged.size(); i++) {
            alternatives.add(value(merged.get(i), SchemaText.path(path, keyword, i)));
        }
        return expressions.choice(alternatives);
    }

    private Expression enumeration(JsonObject schema, String path) {
        List<Json> values = SchemaText.enumerated(schema, path);
        JsonObject rest = SchemaText.without(SchemaText.without(schema, "enum"), "const");
        Grammar others = null;
        if (!rest.members().isEmpty() && !SchemaText.onlyTypes(rest, values)) {
            others = new SchemaCompiler(schemas.document()).grammar(rest, path);
        }
        List<String> texts = new ArrayList<>();
        for (Json value : values) {
            String written = value.toString();
            if (others == null || others.accepts(written)) {
                texts.add(written);
            }
        }
        if (texts.isEmpty()) {
            throw new GrammarException(path, "none of the enumerated values satisfies the other keywords");
        }
        return oneOf(texts);
    }

    /** One of several texts, by their common beginnings. */
    private Expression oneOf(List<String> texts) {
        List<Expression> literals = new ArrayList<>();
        for (String value : new TreeSet<>(texts)) {
            literals.add(expressions.literal(value));
        }
        return expressions.choice(literals);
    }

    private Expression object(JsonObject schema, String path) {
        JsonObject properties = SchemaText.object(schema, "properties", path);
        Set<String> required = SchemaText.strings(schema, "required", path);
        Json additional = schema.get("additionalProperties");
        if (additional == null) {
            additional = Json.of(schema.get("properties") == null);
        }
        String additionalPath = path + ".additionalProperties";
        Map<String, Json> declared = new LinkedHashMap<>(properties.members());
        Set<String> undeclared = new LinkedHashSet<>();
        for (String name : required) {
            if (!declared.containsKey(name)) {
                declared.put(name, schema.get("additionalProperties") == null ? JsonBoolean.TRUE : additional);
                undeclared.add(name);
            }
        }
        List<Member> members = new ArrayList<>();
        for (Map.Entry<String, Json> property : declared.entrySet()) {
            String name = property.getKey();
            boolean mustBe = required.contains(name);
            String propertyPath =
                    undeclared.contains(name) ? additionalPath : SchemaText.path(path + ".properties", name);
            if (mustBe && property.getValue() instanceof JsonBoolean possible && !possible.value()) {
                throw new GrammarException(
                        path, "property " + Json.of(name) + " is required, but no value is allowed for it");
            }
            Expression key = expressions.sequence(expressions.literal(Json.of(name) + ":"), text.space);
            members.add(new Member(expressions.sequence(key, value(property.getValue(), propertyPath)), mustBe));
        }
        Expression others = null;
        if (!(additional instanceof JsonBoolean allowed) || allowed.value()) {
            others = expressions.sequence(
                    otherName(declared.keySet()),
                    expressions.literal(":"),
                    text.space,
                    value(additional, additionalPath));
        }
        return expressions.sequence(expressions.literal("{"), members(members, others, path), expressions.level);
    }

    private record Member(Expression text, boolean required) {}

    /**
     * The members in their order, optional ones or not, then others, then the closing brace. There are two chains of rules:
     * for when nothing has been written yet, and for when a comma must come first.
     */
    private Expression members(List<Member> members, @Nullable Expression others, String path) {
        Expression end = expressions.literal("}");
        Expression later = end;
        Expression first = end;
        if (others != null) {
            Expression more = expressions.sequence(text.comma, others);
            later = expressions.sequence(expressions.repeat(more, 0, Expression.UNBOUNDED), end);
            first = expressions.choice(List.of(end, expressions.sequence(others, later)));
        }
        for (int i = members.size() - 1; i >= 0; i--) {
            Member member = members.get(i);
            Expression asFirst = expressions.sequence(member.text, later);
            Expression asLater = expressions.sequence(text.comma, member.text, later);
            first = ruleOf(member.required ? asFirst : expressions.choice(List.of(asFirst, first)), path);
            later = ruleOf(member.required ? asLater : expressions.choice(List.of(asLater, later)), path);
        }
        return first;
    }

    private Expression ruleOf(Expression body, String path) {
        Rule rule = new Rule(path);
        rule.define(body);
        return expressions.reference(rule);
    }

    /** A member's name other than these, which has to be written in the usual way to be told from them. */
    private Expression otherName(Set<String> declared) {
        if (declared.isEmpty()) {
            return text.string();
        }
        Expression any = expressions.repeat(encoding.encode(CodePoints.ALL), 0, Expression.UNBOUNDED);
        List<String> names = declared.stream()
                .map(name -> Json.of(name).toString())
                .map(quoted -> quoted.substring(1, quoted.length() - 1))
                .toList();
        return text.quoted(expressions.both(any, expressions.not(oneOf(names))));
    }

    private Expression array(JsonObject schema, String path) {
        int min = SchemaText.count(schema, "minItems", 0, path);
        int max = SchemaText.count(schema, "maxItems", Expression.UNBOUNDED, path);
        if (min > max) {
            throw new GrammarException(path, "minItems is above maxItems");
        }
        List<Json> prefix = schema.get("prefixItems") == null
                ? List.of()
                : SchemaText.array(schema, "prefixItems", path).elements();
        Json items = schema.get("items");
        Expression item = items == null ? text.value() : value(items, path + ".items");
        Expression end = expressions.literal("]");
        Expression rest;
        if (prefix.isEmpty()) {
            Expression some = max == 0
                    ? expressions.nothing
                    : expressions.sequence(
                            item,
                            expressions.repeat(
                                    expressions.sequence(text.comma, item),
                                    Math.max(min - 1, 0),
                                    max == Expression.UNBOUNDED ? max : max - 1),
                            end);
            rest = min > 0 ? some : expressions.choice(List.of(end, some));
        } else {
            int more = max == Expression.UNBOUNDED ? max : Math.max(max - prefix.size(), 0);
            rest = expressions.sequence(
                    expressions.repeat(expressions.sequence(text.comma, item), Math.max(min - prefix.size(), 0), more),
                    end);
            for (int i = prefix.size() - 1; i >= 0; i--) {
                Expression one = value(prefix.get(i), SchemaText.path(path, "prefixItems", i));
                Expression next = i >= max
                        ? expressions.nothing
                        : expressions.sequence(i == 0 ? expressions.empty : text.comma, one, rest);
                rest = i < min ? next : expressions.choice(List.of(end, next));
            }
        }
        return expressions.sequence(expressions.literal("["), rest, expressions.level);
    }

    private Expression string(JsonObject schema, String path) {
        int min = SchemaText.count(schema, "minLength", 0, path);
        int max = SchemaText.count(schema, "maxLength", Expression.UNBOUNDED, path);
        if (min > max) {
            throw new GrammarException(path, "minLength is above maxLength");
        }
        Expression content = null;
        for (String pattern : SchemaText.patterns(schema, path)) {
            Expression found = new RegexParser(expressions, encoding, pattern, path + ".pattern").search();
            content = content == null ? found : expressions.both(content, found);
        }
        if (schema.get("format") instanceof JsonString format && !SchemaText.isNumberFormat(format.value())) {
            String pattern = Formats.pattern(format.value());
            if (pattern == null) {
                throw new GrammarException(
                        path + ".format", "format " + format + " is not supported, these are: " + Formats.names());
            }
            Expression found = new RegexParser(expressions, encoding, pattern, path + ".format").whole();
            content = content == null ? found : expressions.both(content, found);
        }
        if (content == null) {
            content = expressions.repeat(text.character, min, max);
        } else if (min > 0 || max < Expression.UNBOUNDED) {
            content = expressions.both(content, expressions.repeat(encoding.encode(CodePoints.ALL), min, max));
        }
        return text.quoted(content);
    }

    private Expression number(JsonObject schema, String path, boolean integer) {
        Bounds bounds = bounds(schema, path);
        if (schema.get("format") instanceof JsonString format) {
            bounds = narrow(bounds, format.value());
        }
        BigDecimal min = bounds.min();
        BigDecimal max = bounds.max();
        if (min != null && max != null) {
            int order = min.compareTo(max);
            if (order > 0 || order == 0 && (bounds.aboveMin() || bounds.belowMax())) {
                throw new GrammarException(path, "no number is between the bounds");
            }
        }
        Expression multiple = multiple(schema, path, integer);
        return integer ? text.numbers.integer(bounds, multiple) : text.numbers.number(bounds, multiple);
    }

    private static Bounds narrow(Bounds bounds, String format) {
        int bits = format.equals("int32") ? 31 : format.equals("int64") ? 63 : 0;
        if (bits == 0) {
            return bounds;
        }
        BigDecimal top = new BigDecimal(BigInteger.TWO.pow(bits));
        BigDecimal min = bounds.min();
        BigDecimal max = bounds.max();
        boolean low = min == null || min.compareTo(top.negate()) < 0;
        boolean high = max == null || max.compareTo(top) >= 0;
        return new Bounds(
                low ? top.negate() : min,
                !low && bounds.aboveMin(),
                high ? top.subtract(BigDecimal.ONE) : max,
                !high && bounds.belowMax());
    }

    private static Bounds bounds(JsonObject schema, String path) {
        BigDecimal min = SchemaText.number(schema, "minimum", path);
        BigDecimal above = SchemaText.number(schema, "exclusiveMinimum", path);
        BigDecimal max = SchemaText.number(schema, "maximum", path);
        BigDecimal below = SchemaText.number(schema, "exclusiveMaximum", path);
        boolean isAbove = above != null && (min == null || above.compareTo(min) >= 0);
        boolean isBelow = below != null && (max == null || below.compareTo(max) <= 0);
        return new Bounds(isAbove ? above : min, isAbove, isBelow ? below : max, isBelow);
    }

    private @Nullable Expression multiple(JsonObject schema, String path, boolean integer) {
        BigDecimal given = SchemaText.number(schema, "multipleOf", path);
        if (given == null) {
            return null;
        }
        if (given.signum() <= 0) {
            throw new GrammarException(path + ".multipleOf", "must be above 0");
        }
        BigDecimal divisor = given.stripTrailingZeros();
        int places = Math.max(divisor.scale(), 0);
        BigInteger units = divisor.movePointRight(places).toBigIntegerExact();
        if (integer) {
            units = units.divide(units.gcd(BigInteger.TEN.pow(places)));
            places = 0;
        }
        // A multiple of 12000 is a multiple of 12 with three zeros behind it, or zero.
        int zeros = 0;
        while (places == 0 && units.mod(BigInteger.TEN).signum() == 0) {
            units = units.divide(BigInteger.TEN);
            zeros++;
        }
        if (units.compareTo(BigInteger.valueOf(MAX_DIVISOR)) > 0 || places > JsonNumbers.DIGITS) {
            throw new GrammarException(
                    path + ".multipleOf",
                    given + " is not supported: its digits without zeros at the ends must be at most " + MAX_DIVISOR);
        }
        Expression multiple = expressions.multiple(units.intValue(), places);
        return zeros == 0
                ? multiple
                : expressions.choice(List.of(
                        expressions.literal("0"),
                        expressions.sequence(multiple, expressions.literal("0".repeat(zeros)))));
    }
}
