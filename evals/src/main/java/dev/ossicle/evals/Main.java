package dev.ossicle.evals;

import dev.ossicle.chat.ChatException;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.engine.LoadProgress;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code ossicle eval}: what can be asked, by name. */
public final class Main {
    private static final String USAGE = """
            Usage: ossicle eval nano [options]

            Asks a model 400 questions that nano was never trained on, greedily, through the chat API with tools whose results
            are given, and counts the answers that are exactly right (and the calls). It takes a minute or two.

              --model PATH   a folder or a .gguf file (default: nano, the embedded model)
              --wrong        also print each wrong answer with the right one
              --json         print JSON and nothing else
              --help

            Examples:
              ossicle eval nano
              ossicle eval nano --wrong
              ossicle eval nano --model ./nano-training/model --json
            """;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Returns the exit status. */
    static int run(String... args) {
        List<String> given = new ArrayList<>(List.of(args));
        if (given.contains("--help") || given.contains("-h")) {
            System.out.print(USAGE);
            return 0;
        }
        boolean json = given.remove("--json");
        boolean wrong = given.remove("--wrong");
        Path path = null;
        int at = given.indexOf("--model");
        if (at >= 0) {
            if (at + 1 == given.size()) {
                return usage("--model needs a path");
            }
            given.remove(at);
            path = Path.of(given.remove(at));
        }
        if (given.isEmpty() || !given.removeFirst().equals("nano")) {
            return usage("name the questions: nano");
        }
        if (!given.isEmpty()) {
            return usage("unknown argument " + given.getFirst());
        }
        try {
            print(ask(path), json, wrong);
            return 0;
        } catch (IOException | ChatException | CheckpointException | IllegalArgumentException e) {
            System.err.println("ossicle eval: " + e.getMessage());
            return 1;
        }
    }

    private static int usage(String problem) {
        System.err.println("ossicle eval: " + problem + "; --help lists the options");
        return 2;
    }

    private static Results ask(@Nullable Path path) throws IOException {
        List<Question> questions = Question.nano();
        List<Outcome> outcomes = new ArrayList<>();
        boolean terminal = isTerminal();
        LoadProgress loading = (done, all) -> {
            if (terminal) {
                System.err.printf("\rloading %d of %d MB", done / 1_000_000, all / 1_000_000);
            }
        };
        try (ChatModel model = path == null ? ChatModel.nano() : ChatModel.open(path, loading)) {
            int right = 0;
            for (Question question : questions) {
                Outcome outcome = Outcome.of(model, question);
                outcomes.add(outcome);
                right += outcome.isRight() ? 1 : 0;
                String line = outcomes.size() + " of " + questions.size() + " asked, " + right + " right";
                if (terminal) {
                    System.err.printf("\r%-40s", line);
                } else if (outcomes.size() % 50 == 0) {
                    System.err.println(line);
                }
            }
            if (terminal) {
                System.err.println();
            }
            return new Results(model.name(), outcomes);
        }
    }

    private static void print(Results results, boolean json, boolean wrong) {
        if (json) {
            System.out.println(results.json());
            return;
        }
        System.out.print((wrong ? results.wrong() : "") + results.table());
    }

    @SuppressWarnings("SystemConsoleNull") // it is null where standard input is no terminal, on JDK 25 too
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }
}
