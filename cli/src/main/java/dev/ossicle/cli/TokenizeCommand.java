package dev.ossicle.cli;

import dev.ossicle.chat.ModelTokenizer;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Text to token ids and back. */
@Command(
        name = "tokenize",
        description = "Prints the token ids of a text, or with --decode the text of token ids.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  ossicle tokenize \"Hello, world\"            OpenAI's o200k_harmony",
            "  ossicle tokenize --model nano --decode 1,2,3",
            "  ossicle tokenize < README.md | wc -w       how many tokens a file has",
        })
final class TokenizeCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "TEXT",
            description = "The text or ids; from standard input if there are none.")
    private @Nullable String text;

    @Option(names = "--model", paramLabel = "MODEL", description = "Whose tokenizer; o200k_harmony by default.")
    private @Nullable String model;

    @Option(names = "--decode", description = "The other way round.")
    private boolean decode;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the spec before anything runs
    TokenizeCommand() {}

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = tokenizer();
        PrintWriter out = spec.commandLine().getOut();
        String input = text == null ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8) : text;
        if (decode) {
            out.print(tokenizer.decode(LogitsCommand.readIds(input)));
            out.println();
        } else {
            out.println(Arrays.stream(tokenizer.encodeOrdinary(input))
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining(" ")));
        }
        return 0;
    }

    private Tokenizer tokenizer() {
        if (model == null) {
            return Tokenizer.o200kHarmony();
        }
        try (Checkpoint checkpoint = Checkpoint.open(ModelLocation.local(model).path())) {
            return ModelTokenizer.of(checkpoint);
        }
    }
}
