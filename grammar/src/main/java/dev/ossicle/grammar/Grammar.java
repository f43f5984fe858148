package dev.ossicle.grammar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.ossicle.grammar.Automaton.State;
import dev.ossicle.grammar.Expression.Choice;
import dev.ossicle.grammar.Expression.Reference;
import dev.ossicle.grammar.Expression.Repeat;
import dev.ossicle.grammar.Expression.Rule;
import dev.ossicle.grammar.Expression.Sequence;
import dev.ossicle.json.Json;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The texts that an answer may be: a JSON Schema, a regular expression, or a grammar in GBNF. Compiled without a model;
 * {@link #over} makes it masks for one vocabulary. Immutable and thread-safe.
 *
 * <pre>{@code
 * Grammar grammar = Grammar.jsonSchema(Json.parse(schema)); // throws where it is not supported, with the JSON path
 * TokenTrie trie = new TokenTrie(tokenizer, vocabulary); // once for a model
 * TokenMask mask = grammar.over(trie).newMask(Set.of(end), budget);
 * }</pre>
 */
public final class Grammar {
    private final Expressions expressions;
    private final Expression root;
    private final List<Rule> rules;

    Grammar(Expressions expressions, Expression root) {
        this(expressions, root, List.of());
    }

    /**
     * @param expressions all that the root needs; not to be added to any more
     * @param others what will be looked at too, though the root may not need it
     * @throws GrammarException if a rule begins with itself
     */
    Grammar(Expressions expressions, Expression root, List<Expression> others) {
        this.expressions = expressions;
        this.root = root;
        List<Rule> reachable = reachable(root, others);
        findNullable(reachable);
        this.rules = inOrder(reachable);
        rules.reversed().forEach(rule -> rule.body().first());
    }

    /**
     * What a JSON Schema describes, in the form that models write: members in the order in which they are declared, after
     * each colon and comma one space or none, and no other white space.
     *
     * <p>The supported language is described in docs/grammar.md. A schema without a type gets the types that its keywords
     * are for; an object whose properties are declared gets no others, unless {@code additionalProperties} says so.
     *
     * @throws GrammarException if a keyword is not supported, or no value can satisfy the schema
     */
    public static Grammar jsonSchema(Json schema) {
        return SchemaCompiler.compile(requireNonNull(schema, "schema is null"));
    }

    /** Any JSON value. */
    public static Grammar json() {
        Expressions expressions = new Expressions();
        return new Grammar(expressions, new JsonText(expressions).value());
    }

    /** Any JSON object: what hosts call the {@code json_object} response format. */
    public static Grammar jsonObject() {
        Expressions expressions = new Expressions();
        return new Grammar(expressions, new JsonText(expressions).object());
    }

    /**
     * Texts that a regular expression matches as a whole: ECMA-262's syntax without look-around, back-references, word
     * boundaries, and anchors other than at the ends.
     *
     * @throws GrammarException if it is none of these
     */
    public static Grammar regex(String pattern) {
        Expressions expressions = new Expressions();
        Expression root = new RegexParser(expressions, new CodePoints.Plain(expressions), pattern, "regex").whole();
        return checked(new Grammar(expressions, root), "regex");
    }

    /**
     * Texts of the rule {@code root} of a grammar in llama.cpp's notation: {@code name ::= "literal" [a-z] (group | other)*
     * rule{2,3} # comment}.
     *
     * @throws GrammarException if it is broken, or a rule begins with itself
     */
    public static Grammar gbnf(String text) {
        Expressions expressions = new Expressions();
        return checked(new Grammar(expressions, new GbnfParser(expressions, text).parse()), "grammar");
    }

    private static Grammar checked(Grammar grammar, String what) {
        if (grammar.automaton(Grammar::oneTokenPerByte).cost(grammar.root) >= Automaton.NEVER) {
            throw new GrammarException(what, "no text can satisfy it");
        }
        return grammar;
    }

    /** This grammar over a vocabulary. To be kept where several generations obey it. */
    public TokenGrammar over(TokenTrie trie) {
        return new TokenGrammar(this, trie);
    }

    /** Whether a text is one of the grammar's. */
    public boolean accepts(String text) {
        Automaton automaton = automaton(Grammar::oneTokenPerByte);
        State state = automaton.state(root);
        for (byte value : text.getBytes(UTF_8)) {
            if (automaton.isDead(state)) {
                return false;
            }
            state = automaton.next(state, value & 255);
        }
        return state.complete;
    }

    Expression root() {
        return root;
    }

    Automaton automaton(Function<byte[], int[]> literalCosts) {
        return new Automaton(expressions, rules, literalCosts);
    }

    static int[] oneTokenPerByte(byte[] text) {
        int[] costs = new int[text.length + 1];
        Arrays.setAll(costs, i -> text.length - i);
        return costs;
    }

    private static List<Rule> reachable(Expression root, List<Expression> others) {
        Set<Rule> rules = new LinkedHashSet<>();
        Set<Expression> seen = new HashSet<>();
        ArrayDeque<Expression> open = new ArrayDeque<>(others);
        open.push(root);
        while (!open.isEmpty()) {
            Expression at = open.pop();
            if (!seen.add(at)) {
                continue;
            }
            if (at instanceof Sequence sequence) {
                open.push(sequence.tail);
                open.push(sequence.head);
            } else if (at instanceof Choice choice) {
                choice.alternatives.forEach(open::push);
            } else if (at instanceof Repeat repeat) {
                open.push(repeat.body);
            } else if (at instanceof Reference reference) {
                rules.add(reference.rule);
                open.push(reference.rule.body());
            }
        }
        return new ArrayList<>(rules);
    }

    private static void findNullable(List<Rule> rules) {
        boolean changed = true;
        List<Rule> order = rules;
        while (changed) {
            changed = false;
            order = order.reversed();
            for (Rule rule : order) {
                if (!rule.nullable && isNullable(rule.body())) {
                    rule.nullable = true;
                    changed = true;
                }
            }
        }
    }

    /** As {@link Expression#nullable}, without remembering what may still change. */
    private static boolean isNullable(Expression expression) {
        return switch (expression) {
            case Sequence sequence -> isNullable(sequence.head) && isNullable(sequence.tail);
            case Choice choice -> choice.alternatives.stream().anyMatch(Grammar::isNullable);
            case Repeat repeat -> repeat.min == 0 || isNullable(repeat.body);
            case Reference reference -> reference.rule.nullable;
            default -> expression.nullable();
        };
    }

    /** The rules, each before those that it can begin with. */
    private static List<Rule> inOrder(List<Rule> rules) {
        Map<Rule, List<Rule>> begins = new HashMap<>();
        for (Rule rule : rules) {
            List<Rule> found = new ArrayList<>();
            beginsWith(rule.body(), found);
            begins.put(rule, found);
        }
        List<Rule> done = new ArrayList<>();
        Map<Rule, Integer> nextChild = new HashMap<>(); // of those that were entered
        for (Rule first : rules) {
            ArrayDeque<Rule> path = new ArrayDeque<>();
            if (nextChild.putIfAbsent(first, 0) == null) {
                path.push(first);
            }
            while (!path.isEmpty()) {
                Rule rule = path.peek();
                List<Rule> children = begins.getOrDefault(rule, List.of());
                int child = nextChild.merge(rule, 1, Integer::sum) - 1;
                if (child >= children.size()) {
                    done.add(path.pop());
                } else if (nextChild.putIfAbsent(children.get(child), 0) == null) {
                    path.push(children.get(child));
                } else if (path.contains(children.get(child))) {
                    throw new GrammarException(children.get(child).name, "refers to itself before anything else comes");
                }
            }
        }
        return done.reversed();
    }

    private static void beginsWith(Expression expression, List<Rule> out) {
        Expression at = expression;
        while (true) {
            switch (at) {
                case Reference reference -> {
                    out.add(reference.rule);
                    return;
                }
                case Choice choice -> {
                    choice.alternatives.forEach(e -> beginsWith(e, out));
                    return;
                }
                case Repeat repeat -> at = repeat.body;
                case Sequence sequence -> {
                    beginsWith(sequence.head, out);
                    if (!isNullable(sequence.head)) {
                        return;
                    }
                    at = sequence.tail;
                }
                default -> {
                    return;
                }
            }
        }
    }
}
