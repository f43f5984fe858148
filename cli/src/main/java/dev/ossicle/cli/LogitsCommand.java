package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes what the model makes of given tokens: needs no tokenizer. */
@Command(
        name = "logits",
        description = "Writes the logits of given tokens: float32, little-endian, [positions, vocabulary].",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  ossicle logits --model gpt-oss-20b.gguf --tokens 1,2,3 --out logits.f32",
            "  ossicle logits --model ~/models/gpt-oss-20b --tokens @ids.txt --last 1 --out last.f32",
        })
final class LogitsCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = "A folder or a .gguf file; or nano.")
    private String model;

    @Option(
            names = "--tokens",
            required = true,
            paramLabel = "IDS|@FILE",
            description = "Token ids apart by commas or white space, or a file that holds them.")
    private String tokens;

    @Option(names = "--last", paramLabel = "N", description = "Only the last N positions; all by default.")
    private int last = -1;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Where the logits go.")
    private Path out;

    @Mixin
    private RunnerOptions runnerOptions;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    LogitsCommand() {}

    @Override
    public Integer call() throws IOException {
        int[] ids = readIds(tokens);
        if (last != -1 && (last < 1 || last > ids.length)) {
            throw new UsageException("--last is " + last + ", must be between 1 and the " + ids.length + " tokens");
        }
        int firstWanted = last == -1 ? 0 : ids.length - last;
        PrintWriter err = spec.commandLine().getErr();
        try (Checkpoint checkpoint = runnerOptions.checkpoint(ModelLocation.local(model));
                ModelRunner runner = runnerOptions.open(checkpoint, Precision.EXACT, err);
                KvSequence sequence = runner.newSequence(ids.length)) {
            // Written aside first: a failure leaves no file that looks like a result.
            Path target = out.toAbsolutePath();
            Path aside = Files.createTempFile(target.getParent(), target.getFileName() + ".", ".part");
            try {
                try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(aside), 1 << 20)) {
                    compute(runner, sequence, ids, firstWanted, file, err);
                }
                Files.move(aside, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(aside);
            }
        }
        return 0;
    }

    private static void compute(
            ModelRunner runner, KvSequence sequence, int[] ids, int firstWanted, OutputStream file, PrintWriter err) {
        ByteBuffer row = ByteBuffer.allocate(4 * runner.config().vocabulary()).order(ByteOrder.LITTLE_ENDIAN);
        Progress progress = new Progress(err, "tokens", ids.length);
        int piece = runner.prefillTokens();
        for (int from = 0; from < ids.length; from += piece) {
            int to = Math.min(ids.length, from + piece);
            int wanted = Math.clamp(to - (long) firstWanted, 0, to - from);
            runner.forward(
                    List.of(new Chunk(sequence, Arrays.copyOfRange(ids, from, to), wanted)),
                    (chunk, position, logits) -> {
                        row.asFloatBuffer().put(logits.values());
                        try {
                            file.write(row.array());
                        } catch (IOException e) {
                            throw new UncheckedIOException("cannot write the logits: " + Main.message(e), e);
                        }
                    });
            progress.update(to);
        }
        progress.end();
    }

    static int[] readIds(String argument) throws IOException {
        String text = argument.startsWith("@") ? Files.readString(Path.of(argument.substring(1))) : argument;
        String[] words = text.strip().split("[\\s,]+", -1);
        int[] ids = new int[words.length];
        for (int i = 0; i < words.length; i++) {
            try {
                ids[i] = Integer.parseInt(words[i]);
            } catch (NumberFormatException e) {
                throw new UsageException(
                        words.length == 1 && words[i].isEmpty()
                                ? "--tokens is empty"
                                : "--tokens: number " + (i + 1) + " is \"" + words[i] + "\", not a token id");
            }
        }
        return ids;
    }
}
