package dev.ossicle.cli.terminal;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be typed instead of something to say. */
enum Command {
    HELP("/?", "[COMMAND]", "these commands, or one of them"),
    REASONING("/reasoning", "low|medium|high|fold|show|hide", "how long the model thinks, and what is seen of it"),
    SYSTEM("/system", "[TEXT|none]", "the instructions: shows or changes them"),
    TOOLS("/tools", "[NAME,...|none]", "what the model may use: shows or changes it"),
    RETRY("/retry", "", "asks the last question again"),
    UNDO("/undo", "", "takes the last question and its answer back"),
    COPY("/copy", "", "puts the last answer on the clipboard, as Markdown"),
    SHOW("/show", "last|info|parameters|system|history", "the last answer with all of its reasoning and results, ..."),
    SET("/set", "NAME [VALUE]", "/? /set names what can be set"),
    SAVE("/save", "NAME", "keeps the conversation"),
    LOAD("/load", "NAME", "goes on with a conversation that was kept"),
    CLEAR("/clear", "", "forgets the conversation, and starts the tools anew"),
    BYE("/bye", "", "leaves, as Ctrl-D does");

    private static final Map<String, Command> ALIASES =
            Map.of("/help", HELP, "/exit", BYE, "/quit", BYE, "/think", REASONING);

    static final List<String> PARAMETERS = List.of("temperature", "top_p", "top_k", "min_p", "seed", "num_predict");

    static final List<String> SETTINGS = List.of(
            "parameter",
            "system",
            "think",
            "nothink",
            "verbose",
            "quiet",
            "history",
            "nohistory",
            "format",
            "noformat");

    final String word;
    final String arguments;
    final String help;

    Command(String word, String arguments, String help) {
        this.word = word;
        this.arguments = arguments;
        this.help = help;
    }

    /**
     * A command line.
     *
     * @param rest what follows the command's word, without the spaces around it
     */
    record Entered(Command command, String rest) {}

    /** Whether a line is meant as a command: a space in front of the slash makes it something to say. */
    static boolean isCommand(String line) {
        return line.startsWith("/");
    }

    /** Null if there is no such command. */
    static @Nullable Entered parse(String line) {
        String[] parts = line.strip().split("\\s+", 2);
        Command command = named(parts[0]);
        return command == null ? null : new Entered(command, parts.length < 2 ? "" : parts[1].strip());
    }

    /** With or without the slash. */
    static @Nullable Command named(String name) {
        String word = (name.startsWith("/") ? name : "/" + name).toLowerCase(Locale.ROOT);
        for (Command command : values()) {
            if (command.word.equals(word)) {
                return command;
            }
        }
        return ALIASES.get(word);
    }

    /** The word that was most likely meant; null if none is near. */
    static @Nullable String nearest(String word, List<String> words) {
        String typed = word.toLowerCase(Locale.ROOT);
        return words.stream()
                .filter(each -> distance(typed, each) <= Math.max(2, each.length() / 3) || isBeginning(typed, each))
                .min(Comparator.comparingInt(each -> distance(typed, each)))
                .orElse(null);
    }

    private static boolean isBeginning(String typed, String word) {
        return typed.length() > 1 && word.startsWith(typed);
    }

    static List<String> words() {
        return Arrays.stream(values()).map(command -> command.word).toList();
    }

    /** Levenshtein's: single characters put in, left out or exchanged. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
