package dev.ossicle.cli.terminal;

import java.util.Locale;

/** What {@code /?} says. */
final class Help {
    private Help() {}

    /** @param name of a command; empty for all */
    static String text(String name) {
        if (name.isEmpty()) {
            return all();
        }
        Command command = Command.named(name);
        if (command == null) {
            String nearest = Command.nearest(name.startsWith("/") ? name : "/" + name, Command.words());
            throw new IllegalArgumentException(
                    "there is no command " + name + (nearest == null ? "" : ": " + nearest + "?"));
        }
        String line = command.word + " " + command.arguments + "  " + command.help;
        return switch (command) {
            case SET -> """
                    /set parameter NAME VALUE   temperature, top_p, top_k, min_p, seed, num_predict (tokens of an answer)
                    /set system TEXT            as /system
                    /set think LEVEL, nothink   as /reasoning
                    /set verbose, quiet         timings after each answer, or one line
                    /set history, nohistory     whether what you type is remembered
                    /set format json, noformat  answers that are JSON objects""";
            case TOOLS -> line + "\nsuch as /tools python,apply_patch=src";
            case SAVE, LOAD -> line + "\nNAME is a name, or a path with a / in it";
            default -> line;
        };
    }

    private static String all() {
        StringBuilder text = new StringBuilder();
        for (Command command : Command.values()) {
            text.append(String.format(Locale.ROOT, "%-12s%s\n", command.word, command.help));
        }
        return text + """

                \"""         begins and ends a text of several lines
                Ctrl-C      stops the answer; twice at the prompt leaves
                Ctrl-D      leaves
                Tab         completes commands; the arrows up and down, and Ctrl-R, find what was typed before""";
    }
}
