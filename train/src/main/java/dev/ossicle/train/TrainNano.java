package dev.ossicle.train;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.harmony.tokenizer.TokenizerException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/** {@code ossicle train nano}: trains, reports and exports the model that Ossicle embeds. */
public final class TrainNano {
    private static final double SAVE_SECONDS = 120;
    private static final double REPORT_SECONDS = 900;
    private static final int ASKED_ON_THE_WAY = 20;
    private static final int ASKED_AT_THE_END = 50;

    private final TrainOptions options;
    private final PrintStream log;
    private final Tokenizer tokenizer;
    private final Lessons lessons;
    private final ParameterLayout layout;
    private volatile boolean interrupted;

    private TrainNano(TrainOptions options, PrintStream log) throws IOException {
        this.options = options;
        this.log = log;
        this.tokenizer = tokenizer();
        this.lessons = new Lessons(tokenizer);
        this.layout = new ParameterLayout(config(tokenizer.vocabularySize()));
    }

    /** The shape of nano: gpt-oss in everything but size. */
    static ModelConfig config(int vocabulary) {
        return new ModelConfig(4, 8, 4, vocabulary, 128, 32, 32, 4, 2, 128, 131_072, 150_000, 32, 4096, 1, 32, 7, 1e-5);
    }

    public static void main(String[] args) throws IOException {
        if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
            System.out.print(TrainOptions.USAGE);
            return;
        }
        TrainOptions options;
        try {
            options = TrainOptions.parse(args);
        } catch (TrainOptions.UsageException e) {
            System.err.println("ossicle train nano: " + e.getMessage() + "; --help lists the options");
            System.exit(2);
            return;
        }
        PyTorch.prepare(options.threads());
        try {
            new TrainNano(options, System.err).run();
        } catch (IOException | CheckpointException | TokenizerException e) {
            System.err.println("ossicle train nano: " + e.getMessage());
            System.exit(1);
        } catch (ArithmeticException e) {
            System.err.println(
                    "ossicle train nano: " + e.getMessage() + "; --resume goes on from the last saved state");
            System.exit(1);
        }
    }

    private void run() throws IOException {
        Path file = options.out().resolve("training.state");
        TrainingState state = options.resume()
                ? TrainingState.load(file, layout)
                : TrainingState.start(options.seed(), firstWeights());
        Trainer trainer = new Trainer(layout, lessons, state, options.rate());
        CountDownLatch finished = new CountDownLatch(1);
        Thread onInterrupt = new Thread(() -> {
            interrupted = true;
            awaitQuietly(finished);
        });
        Runtime.getRuntime().addShutdownHook(onInterrupt);
        try {
            double seconds = train(trainer, state, file);
            trainer.state(seconds).save(file);
            log.printf(Locale.ROOT, "%nsaved %s after %d steps%n", file, trainer.steps());
            if (!interrupted) {
                finish(trainer);
            }
        } finally {
            finished.countDown();
        }
    }

    /** That of the training that is resumed, or a new one, kept beside the state: without it the state means nothing. */
    private Tokenizer tokenizer() throws IOException {
        Path state = options.out().resolve("training.state");
        Path file = options.out().resolve("tokenizer.json");
        if (options.resume()) {
            if (!Files.exists(state)) {
                throw new IOException(state + " does not exist, so there is nothing to resume");
            }
            return Tokenizer.fromTokenizerJson(file);
        }
        if (Files.exists(state)) {
            throw new IOException(state + " exists: add --resume to go on, or choose another --out");
        }
        Files.createDirectories(options.out());
        Tokenizer tokenizer = options.from() == null
                ? NanoTokenizer.train()
                : Tokenizer.fromTokenizerJson(options.from().resolve("tokenizer.json"));
        Files.writeString(file, tokenizer.toTokenizerJson());
        return tokenizer;
    }

    private float[] firstWeights() throws IOException {
        if (options.from() == null) {
            return layout.initialise(options.seed());
        }
        try (Checkpoint checkpoint = Checkpoint.open(options.from())) {
            if (!checkpoint.config().equals(layout.config())) {
                throw new IOException(
                        options.from() + " has another shape: " + checkpoint.config() + ", nano is " + layout.config());
            }
            return CheckpointWeights.flatten(checkpoint.weights(), layout);
        }
    }

    /** Returns the seconds spent on training in all. */
    private double train(Trainer trainer, TrainingState state, Path file) throws IOException {
        log.printf(
                Locale.ROOT,
                "%d parameters, vocabulary %d, batches of %d tokens, %s%n",
                layout.size(),
                layout.config().vocabulary(),
                Trainer.ROWS * Trainer.LENGTH,
                PyTorch.description());
        double seconds = state.seconds();
        double saved = seconds;
        double reported = seconds;
        ProgressLine line = new ProgressLine(log, trainer.tokens(), seconds);
        while (!interrupted) {
            double progress = options.progress(trainer.tokens(), seconds);
            if (progress >= 1) {
                break;
            }
            long start = System.nanoTime();
            double loss = trainer.step(progress);
            seconds += (System.nanoTime() - start) * 1e-9;
            line.step(trainer, loss, seconds, options.progress(trainer.tokens(), seconds));
            if (seconds - saved > SAVE_SECONDS) {
                trainer.state(seconds).save(file);
                saved = seconds;
            }
            if (seconds - reported > REPORT_SECONDS) {
                report(trainer, ASKED_ON_THE_WAY);
                reported = seconds;
            }
        }
        return seconds;
    }

    private void report(Trainer trainer, int perFamily) {
        log.printf("%n%s%n", Report.of(new Judge(layout, trainer.rounded()), lessons, perFamily));
    }

    private void finish(Trainer trainer) throws IOException {
        report(trainer, ASKED_AT_THE_END);
        Path folder = options.out().resolve("model");
        Export.write(folder, layout, trainer.rounded(), tokenizer);
        log.println("wrote " + folder);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
