package dev.ossicle.train;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The command line of {@code ossicle train nano}.
 *
 * @param tokens to train on, or 0 if the time decides
 * @param minutes of training in all, pauses not counted, or 0 if the tokens decide
 * @param out folder of the training state and of the result
 * @param from folder of an exported model whose weights and tokenizer to begin with, or null for a new one
 * @param resume whether to go on from the state in that folder
 * @param seed of the first weights and of the data
 * @param rate of learning, at its peak
 * @param threads for PyTorch
 */
record TrainOptions(
        long tokens,
        double minutes,
        Path out,
        @Nullable Path from,
        boolean resume,
        long seed,
        double rate,
        int threads) {
    static final String USAGE = """
            Usage: ossicle train nano [options]

            Trains the small model that Ossicle embeds, from nothing, and writes it as a Hugging Face folder.
            Ctrl-C saves the state and stops; --resume goes on from there.

              --tokens N     train on N tokens in all, such as 20M (the default)
              --minutes N    train for N minutes in all instead, pauses not counted
              --out FOLDER   where state and model go (default: nano-training)
              --from FOLDER  begin with the weights and the tokenizer of this model, as an earlier run wrote them
              --resume       go on from the state in the --out folder
              --seed N       of the first weights and of the data (default: 1)
              --rate N       peak of the learning rate (default: 0.003; less with --from, such as 0.001)
              --threads N    for PyTorch (default: all cores)
              --help

            Examples:
              ossicle train nano --minutes 60
              ossicle train nano --resume --minutes 120
              ossicle train nano --from nano/src/main/resources/dev/ossicle/nano --rate 0.001 --minutes 30
              ossicle run ./nano-training/model "What is 2 + 3?"
            """;

    /** A command line that cannot be understood; the message says why. */
    static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    static TrainOptions parse(String... args) {
        long tokens = 0;
        double minutes = 0;
        Path out = Path.of("nano-training");
        Path from = null;
        boolean resume = false;
        double rate = 3e-3;
        long seed = 1;
        int threads = Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < args.length; i++) {
            String name = args[i];
            if (name.equals("--resume")) {
                resume = true;
                continue;
            }
            if (!name.matches("--(tokens|minutes|out|from|seed|rate|threads)")) {
                throw new UsageException("unknown option " + name);
            }
            if (i + 1 == args.length) {
                throw new UsageException(name + " needs a value");
            }
            String value = args[++i];
            switch (name) {
                case "--tokens" -> tokens = (long) positive(name, value, true);
                case "--minutes" -> minutes = positive(name, value, false);
                case "--out" -> out = Path.of(value);
                case "--from" -> from = Path.of(value);
                case "--rate" -> rate = positive(name, value, false);
                case "--seed" -> seed = seed(value);
                default -> threads = (int) Math.min(positive(name, value, true), 1024);
            }
        }
        if (tokens > 0 && minutes > 0) {
            throw new UsageException("--tokens and --minutes exclude each other");
        }
        if (from != null && resume) {
            throw new UsageException("--from and --resume exclude each other: a resumed training has its weights");
        }
        return new TrainOptions(
                tokens == 0 && minutes == 0 ? 20_000_000 : tokens, minutes, out, from, resume, seed, rate, threads);
    }

    private static long seed(String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new UsageException("--seed is " + value + ", must be a whole number");
        }
    }

    /** A number above 0; with suffixes, thousands (K) or millions (M) of it. */
    private static double positive(String name, String value, boolean suffixes) {
        double factor = 1;
        String digits = value;
        if (suffixes && (value.endsWith("M") || value.endsWith("K"))) {
            factor = value.endsWith("M") ? 1e6 : 1e3;
            digits = value.substring(0, value.length() - 1);
        }
        if (!digits.matches("[0-9]{1,12}(\\.[0-9]{1,9})?")
                || Double.parseDouble(digits) * factor < (suffixes ? 1 : 1e-9)) {
            throw new UsageException(name + " is " + value + ", must be a number above 0");
        }
        return Double.parseDouble(digits) * factor;
    }

    /** How much of the training is done, 0 to 1 and above. */
    double progress(long doneTokens, double doneSeconds) {
        return tokens > 0 ? (double) doneTokens / tokens : doneSeconds / (60 * minutes);
    }
}
