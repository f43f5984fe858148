package dev.ossicle.cli.terminal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jline.reader.Candidate;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.MaskingCallback;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;

/** Editing, history and completion of what is typed, on JLine. */
final class LineEditor {
    private static final int HISTORY_LINES = 1_000;

    /** A text that long was pasted, and is better kept somewhere else. */
    private static final int MAX_REMEMBERED = 10_000;

    private static final MaskingCallback REMEMBER_SHORT = new MaskingCallback() {
        @Override
        public String display(String line) {
            return line;
        }

        @Override
        @SuppressWarnings("NullAway") // null means "not at all" to JLine
        public String history(String line) {
            return line.length() > MAX_REMEMBERED ? null : line;
        }
    };

    private final LineReader reader;
    private final boolean dumb;
    private final String prompt;

    /**
     * @param history file, which exists
     * @param tools names to complete
     */
    LineEditor(Terminal terminal, Path history, ConversationStore store, List<String> tools, boolean styled) {
        dumb = terminal.getType().startsWith(Terminal.TYPE_DUMB);
        prompt = styled ? Ansi.text(new AttributedString(">>> ", Styles.PROMPT)) : ">>> ";
        reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("ossicle")
                .parser(new Lines())
                .completer((line, parsed, candidates) -> candidates.addAll(candidates(parsed, store, tools)))
                .variable(LineReader.HISTORY_FILE, history)
                .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                .variable(LineReader.HISTORY_FILE_SIZE, HISTORY_LINES)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, "... ")
                .variable(LineReader.BELL_STYLE, "none")
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.DISABLE_HIGHLIGHTER, true)
                .option(LineReader.Option.CASE_INSENSITIVE, true)
                .build();
    }

    /**
     * @throws org.jline.reader.UserInterruptException at Ctrl-C
     * @throws org.jline.reader.EndOfFileException at Ctrl-D on an empty line, and where the input ends
     */
    String read() {
        // JLine takes a mask on a dumb terminal for a password's.
        return dumb ? reader.readLine(prompt) : reader.readLine(prompt, null, REMEMBER_SHORT, null);
    }

    void remember(boolean on) {
        reader.setVariable(LineReader.DISABLE_HISTORY, !on);
    }

    static List<Candidate> candidates(ParsedLine line, ConversationStore store, List<String> tools) {
        List<String> words = line.words();
        if (words.isEmpty() || !words.getFirst().startsWith("/")) {
            return List.of();
        }
        if (line.wordIndex() == 0) {
            return Arrays.stream(Command.values())
                    .map(each -> candidate(each.word, each.help))
                    .toList();
        }
        Command command = Command.named(words.getFirst());
        if (command == null) {
            return List.of();
        }
        List<String> values = switch (command) {
            case HELP -> line.wordIndex() == 1 ? Command.words() : List.of();
            case REASONING ->
                line.wordIndex() == 1 ? List.of("low", "medium", "high", "fold", "show", "hide") : List.of();
            case SHOW ->
                line.wordIndex() == 1 ? List.of("last", "info", "parameters", "system", "tools", "history") : List.of();
            case SET -> settings(words, line.wordIndex());
            case TOOLS -> tools;
            case SAVE, LOAD -> line.wordIndex() == 1 ? store.names() : List.of();
            case SYSTEM, RETRY, UNDO, COPY, CLEAR, BYE -> List.of();
        };
        return values.stream().map(Candidate::new).toList();
    }

    private static List<String> settings(List<String> words, int index) {
        if (index == 1) {
            return Command.SETTINGS;
        }
        if (index > 2) {
            return List.of();
        }
        return switch (words.get(1)) {
            case "parameter" -> Command.PARAMETERS;
            case "think" -> List.of("low", "medium", "high");
            case "format" -> List.of("json");
            default -> List.of();
        };
    }

    @SuppressWarnings("NullAway") // JLine's "none"
    private static Candidate candidate(String value, String description) {
        return new Candidate(value, value, null, description, null, null, true);
    }

    /** Lines are taken as they are; three quotes keep one open. */
    private static final class Lines implements Parser {
        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            if (context == ParseContext.ACCEPT_LINE && ChatSession.isOpenQuote(line)) {
                throw new EOFError(-1, cursor, "more lines", "\"\"\"");
            }
            return Words.of(line, cursor);
        }

        @Override
        public boolean isEscapeChar(char c) {
            return false;
        }
    }

    /** Words between spaces. */
    private record Words(String line, int cursor, List<String> words, int wordIndex, int wordCursor)
            implements CompletingParsedLine {
        static Words of(String line, int cursor) {
            List<String> words = new ArrayList<>();
            int index = -1;
            int inWord = 0;
            int start = 0;
            for (int i = 0; i <= line.length(); i++) {
                if (i < line.length() && line.charAt(i) != ' ') {
                    continue;
                }
                if (i > start || i == cursor) {
                    words.add(line.substring(start, i));
                    if (index < 0 && cursor >= start && cursor <= i) {
                        index = words.size() - 1;
                        inWord = cursor - start;
                    }
                }
                start = i + 1;
            }
            if (index < 0) {
                words.add("");
                index = words.size() - 1;
            }
            return new Words(line, cursor, List.copyOf(words), index, inWord);
        }

        @Override
        public String word() {
            return words.get(wordIndex);
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor;
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }
    }
}
