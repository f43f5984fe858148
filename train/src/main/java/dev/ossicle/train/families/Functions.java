package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Functions with names that nobody has seen before, and questions that need one of them. */
final class Functions {
    private static final Phrasings BY_NOUN = Phrasings.read("call");
    private static final Phrasings BY_NAME = Phrasings.read("use");
    private static final List<String> NOUNS = Texts.lines("nouns");
    private static final List<String> VERBS = List.of("get", "find", "look_up", "fetch", "read", "show");
    private static final List<String> PARAMETERS = Texts.lines("keys");
    private static final List<String> DESCRIPTIONS = List.of(
            "Gets the {n}.",
            "Returns the {n}.",
            "The {n}.",
            "Looks up the {n} of a {p}.",
            "Finds the {n} for a {p}.",
            "Get the current {n} for a {p}.",
            "Tells the {n}.");
    private static final List<String> UNITS = List.of("degrees", "euros", "km", "people", "hours", "points", "percent");

    /** A parameter; the other type is a string. */
    private record Parameter(String name, boolean number) {}

    /**
     * A function.
     *
     * @param noun what it is about, as the description says
     */
    record Declared(String name, String noun, List<Parameter> parameters, String description) {
        ToolDescription tool() {
            StringBuilder properties = new StringBuilder();
            StringBuilder required = new StringBuilder();
            for (Parameter parameter : parameters) {
                properties.append(properties.isEmpty() ? "" : ",");
                properties.append('"').append(parameter.name()).append("\":{\"type\":\"");
                properties.append(parameter.number() ? "integer" : "string").append("\"}");
                required.append(required.isEmpty() ? "" : ",")
                        .append('"')
                        .append(parameter.name())
                        .append('"');
            }
            return new ToolDescription(
                    name,
                    description,
                    Json.parse("{\"type\":\"object\",\"properties\":{" + properties + "},\"required\":[" + required
                            + "]}"));
        }
    }

    private Functions() {}

    /** One to three functions about different things. */
    static List<Declared> declare(Draw draw) {
        int[] counts = {1, 1, 2, 2, 3};
        int count = draw.easy() ? 1 : counts[draw.below(counts.length)];
        Set<String> used = new HashSet<>();
        List<Declared> declared = new ArrayList<>();
        while (declared.size() < count) {
            String noun = count == 1 && draw.oneIn(3) ? draw.word(4, 7) : draw.pick(NOUNS);
            String name = name(draw, noun);
            if (!draw.suits(name) || !used.add(noun) || !used.add(name)) {
                continue;
            }
            List<Parameter> parameters = new ArrayList<>();
            int parameterCount = !draw.easy() && draw.oneIn(3) ? 2 : 1;
            while (parameters.size() < parameterCount) {
                String parameter = draw.oneIn(2) ? draw.word(3, 6) : draw.pick(PARAMETERS);
                if (parameters.isEmpty() || !parameters.getFirst().name().equals(parameter)) {
                    parameters.add(new Parameter(parameter, draw.oneIn(3)));
                }
            }
            String description = draw.pick(DESCRIPTIONS)
                    .replace("{n}", noun)
                    .replace("{p}", parameters.getFirst().name());
            declared.add(new Declared(name, noun, parameters, description));
        }
        return declared;
    }

    private static String name(Draw draw, String noun) {
        return switch (draw.easy() ? 4 : draw.below(5)) {
            case 0 -> draw.word(3, 5) + "_" + noun;
            case 1 -> draw.pick(VERBS) + "_" + draw.word(3, 6);
            case 2 -> draw.word(3, 5) + Draw.capitalised(draw.word(3, 5));
            case 3 -> draw.pick(VERBS) + "_" + noun + (draw.oneIn(3) ? "_" + draw.word(2, 4) : "");
            default -> draw.word(4, 7);
        };
    }

    static Turn turn(Draw draw, ReasoningEffort effort, List<Declared> functions) {
        Declared function = draw.pick(functions);
        boolean byName = draw.oneIn(3);
        StringBuilder said = new StringBuilder();
        StringBuilder arguments = new StringBuilder();
        for (Parameter parameter : function.parameters()) {
            String value =
                    parameter.number() ? String.valueOf(draw.number(3)) : draw.oneIn(4) ? draw.word(3, 6) : draw.name();
            boolean first = said.isEmpty();
            said.append(first ? "" : " and ");
            if (byName || !first) {
                said.append(parameter.name()).append(' ');
            }
            said.append(value);
            arguments
                    .append(first ? "" : ",")
                    .append('"')
                    .append(parameter.name())
                    .append("\":");
            arguments.append(parameter.number() ? value : "\"" + value + "\"");
        }
        String user = (byName ? BY_NAME : BY_NOUN)
                .pick(draw)
                .replace("{f}", function.name())
                .replace("{n}", function.noun())
                .replace("{x}", said);
        String result = result(draw);
        return new Turn(
                "function",
                draw.around(user),
                Family.thoughts(
                        effort,
                        "",
                        "I call " + function.name() + ".",
                        "The user asks for something that a function knows. The right one is " + function.name()
                                + ". I take the arguments from the question."),
                new Turn.Call("functions." + function.name(), "{" + arguments + "}", result),
                "The result is " + result + ".");
    }

    private static String result(Draw draw) {
        return switch (draw.below(6)) {
            case 0 -> draw.word(3, 7);
            case 1 -> draw.name();
            case 2 -> draw.number(3) + " " + draw.pick(UNITS);
            case 3 -> "{\"" + draw.pick(PARAMETERS) + "\":" + draw.number(3) + "}";
            case 4 -> draw.word(3, 5) + " " + draw.word(3, 5);
            default -> String.valueOf(draw.number(5));
        };
    }
}
