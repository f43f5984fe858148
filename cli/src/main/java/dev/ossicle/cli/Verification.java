package dev.ossicle.cli;

import dev.ossicle.chat.ModelTokenizer;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.TokenizerSource;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.NonFiniteException;
import dev.ossicle.engine.Precision;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.models.hub.Digests;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The checks of one model, a line for each; later ones are left out where an earlier one makes them pointless. */
final class Verification {
    /** Anything larger is no weight of a trained model: its scales are damaged. */
    private static final float LARGEST = 1e6f;

    private static final int FEW_TOKENS = 8;

    private final Path path;
    private final int threads;
    private final PrintWriter out;
    private final PrintWriter err;
    private int failures;

    private record Named(String name, Matrix matrix) {}

    Verification(Path path, int threads, PrintWriter out, PrintWriter err) {
        this.path = path;
        this.threads = threads;
        this.out = out;
        this.err = err;
    }

    int failures() {
        return failures;
    }

    private void ok(String check, String detail) {
        out.printf("%-10s ok    %s%n", check, detail);
        out.flush();
    }

    private void fail(String check, String detail) {
        out.printf("%-10s FAIL  %s%n", check, detail);
        out.flush();
        failures++;
    }

    private void left(String check, String why) {
        out.printf("%-10s -     %s%n", check, why);
        out.flush();
    }

    void run(boolean withAnswers) {
        boolean isPublished = files();
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            ok(
                    "tensors",
                    checkpoint.tensors().size() + " of the right shapes, " + checkpoint.layout() + ", "
                            + Sizes.bytes(checkpoint.bytes()) + ", "
                            + Sizes.count(checkpoint.config().parameters())
                            + " parameters");
            boolean sound = values(checkpoint.weights());
            Tokenizer tokenizer = tokenizer(checkpoint);
            if (!sound) {
                left("forward", "left out, since the weights are broken");
                return;
            }
            DeviceOptions exact = DeviceOptions.of(threads, Precision.EXACT); // straight from the file
            ModelRunners.Choice choice = ModelRunners.choose(null, checkpoint, exact);
            try (ModelRunner runner = RunnerOptions.open(choice, checkpoint, exact, err)) {
                forward(runner);
                if (!withAnswers) {
                    left("answers", "left out (--quick)");
                } else if (tokenizer != null) {
                    answers(checkpoint, runner, tokenizer, isPublished);
                }
            }
        } catch (CheckpointException e) {
            fail("tensors", Main.message(e));
        }
    }

    /** Returns whether every file is known to be as OpenAI published it. */
    private boolean files() {
        List<Digests.Known> files;
        long total = 0;
        try {
            files = Digests.of(path);
            for (Digests.Known file : files) {
                total += Files.exists(file.file()) ? Files.size(file.file()) : 0;
            }
        } catch (IOException e) {
            fail("files", Main.message(e));
            return false;
        }
        AtomicLong done = new AtomicLong();
        long all = Math.max(1, total / 1_000_000);
        Progress progress = new Progress(err, "MB", all);
        int matching = 0;
        boolean isPublished = !files.isEmpty();
        List<String> unknown = new ArrayList<>();
        for (Digests.Known file : files) {
            try {
                String like = file.expected() == null ? "0".repeat(64) : file.expected();
                String found =
                        Digests.read(file.file(), like, read -> progress.update(done.addAndGet(read) / 1_000_000, all));
                if (file.expected() == null) {
                    unknown.add(found + "  " + file.file().getFileName());
                } else if (found.equals(file.expected())) {
                    matching++;
                } else {
                    progress.end();
                    fail(
                            "files",
                            file.file().getFileName() + " has the digest " + found + ", expected " + file.expected()
                                    + " (" + file.from() + ")");
                }
                isPublished &= file.from().startsWith("openai/");
            } catch (IOException e) {
                progress.end();
                fail("files", file.file() + ": " + Main.message(e));
            }
        }
        progress.end();
        if (matching > 0) {
            ok("files", matching + " with the digest that is known" + (isPublished ? ", OpenAI's own" : ""));
        }
        unknown.forEach(line -> left("files", "nobody says what it should be: sha256 " + line));
        return isPublished && failures == 0;
    }

    private boolean values(ModelWeights weights) {
        List<Named> matrices = matrices(weights);
        long total = matrices.stream().mapToLong(each -> each.matrix.bytes()).sum() / 1_000_000 + 1;
        Progress progress = new Progress(err, "MB", total);
        AtomicLong done = new AtomicLong();
        int before = failures;
        float largest = 0;
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            List<Future<Float>> results = new ArrayList<>();
            for (Named each : matrices) {
                results.add(workers.submit(() -> {
                    float max = largest(each.matrix);
                    progress.update(done.addAndGet(each.matrix.bytes()) / 1_000_000, total);
                    return max;
                }));
            }
            for (int i = 0; i < results.size(); i++) {
                float max = results.get(i).get();
                String problem = Float.isNaN(max)
                        ? "has values that are not finite"
                        : max > LARGEST
                                ? "has a value of size " + max
                                : max == 0 && matrices.get(i).matrix.rows() > 1 ? "is zero throughout" : null;
                if (problem != null) {
                    progress.end();
                    fail("values", matrices.get(i).name + " " + problem);
                }
                largest = Math.max(largest, max);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail("values", "interrupted");
        } catch (ExecutionException e) {
            fail("values", Main.message(Objects.requireNonNull(e.getCause())));
        }
        progress.end();
        if (failures == before) {
            ok("values", "all finite, none zero throughout, the largest " + largest);
        }
        return failures == before;
    }

    /** The largest magnitude; not a number if any value is none. */
    private static float largest(Matrix matrix) {
        float[] row = new float[matrix.columns()];
        float max = 0;
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.row(r, row, 0);
            float sum = 0; // stays 0 for numbers that are finite
            for (float value : row) {
                max = Math.max(max, Math.abs(value));
                sum += value * 0;
            }
            if (sum != 0 || Float.isNaN(sum)) {
                return Float.NaN;
            }
        }
        return max;
    }

    private static List<Named> matrices(ModelWeights weights) {
        List<Named> all = new ArrayList<>();
        all.add(new Named("the embedding", weights.embedding()));
        all.add(new Named("the unembedding", weights.unembedding()));
        all.add(vector("the last norm", weights.norm()));
        for (int i = 0; i < weights.layers().size(); i++) {
            LayerWeights layer = weights.layers().get(i);
            String at = "layer " + i + ": ";
            all.add(vector(at + "attention norm", layer.attentionNorm()));
            all.add(new Named(at + "query", layer.query()));
            all.add(vector(at + "query bias", layer.queryBias()));
            all.add(new Named(at + "key", layer.key()));
            all.add(vector(at + "key bias", layer.keyBias()));
            all.add(new Named(at + "value", layer.value()));
            all.add(vector(at + "value bias", layer.valueBias()));
            all.add(vector(at + "sinks", layer.sinks()));
            all.add(new Named(at + "out", layer.out()));
            all.add(vector(at + "out bias", layer.outBias()));
            all.add(vector(at + "mlp norm", layer.mlpNorm()));
            all.add(new Named(at + "router", layer.router()));
            all.add(vector(at + "router bias", layer.routerBias()));
            for (int e = 0; e < layer.experts().size(); e++) {
                ExpertWeights expert = layer.experts().get(e);
                all.add(new Named(at + "expert " + e + " gate", expert.gate()));
                all.add(new Named(at + "expert " + e + " up", expert.up()));
                all.add(new Named(at + "expert " + e + " down", expert.down()));
            }
            all.add(new Named(at + "gate bias", layer.gateBias()));
            all.add(new Named(at + "up bias", layer.upBias()));
            all.add(new Named(at + "down bias", layer.downBias()));
        }
        return all;
    }

    private static Named vector(String name, float[] values) {
        return new Named(name, F32Matrix.of(1, values.length, values));
    }

    private @Nullable Tokenizer tokenizer(Checkpoint checkpoint) {
        if (checkpoint.tokenizer() instanceof TokenizerSource.None && !ModelTokenizer.isO200k(checkpoint)) {
            left("tokenizer", "there is none; run and serve need the model's tokenizer.json beside its weights");
            return null;
        }
        Tokenizer tokenizer;
        try {
            tokenizer = ModelTokenizer.of(checkpoint);
        } catch (CheckpointException e) {
            fail("tokenizer", Main.message(e));
            return null;
        }
        if (!ModelTokenizer.isO200k(checkpoint)) {
            ok("tokenizer", tokenizer.vocabularySize() + " tokens, which fit the model; not o200k_harmony");
            return tokenizer;
        }
        String difference = difference(tokenizer, Tokenizer.o200kHarmony());
        if (difference != null) {
            fail("tokenizer", "is not o200k_harmony: " + difference);
            return null;
        }
        ok("tokenizer", "o200k_harmony");
        return tokenizer;
    }

    /** The first thing that a tokenizer does otherwise; more tokens than it should have are none. */
    private static @Nullable String difference(Tokenizer tokenizer, Tokenizer expected) {
        for (String name : new TreeSet<>(expected.specialNames())) {
            int id = tokenizer.special(name).orElse(-1);
            int right = expected.special(name).orElseThrow();
            if (!name.contains("reserved") && id != right) {
                return name + " is " + (id < 0 ? "missing" : id) + ", expected " + right;
            }
        }
        for (int id = 0; id < expected.vocabularySize(); id++) {
            if (!expected.hasToken(id) || expected.isSpecial(id)) {
                continue;
            }
            if (!tokenizer.hasToken(id) || !Arrays.equals(tokenizer.tokenBytes(id), expected.tokenBytes(id))) {
                return "token " + id + " is "
                        + (tokenizer.hasToken(id) ? "\"" + tokenizer.decode(id) + "\"" : "missing")
                        + ", expected \"" + expected.decode(id) + "\"";
            }
        }
        String text = "Straße 1234567: naïve — 日本語, don't; \n\n  x";
        return Arrays.equals(tokenizer.encodeOrdinary(text), expected.encodeOrdinary(text))
                ? null
                : "it cuts text otherwise";
    }

    private void forward(ModelRunner runner) {
        int vocabulary = runner.config().vocabulary();
        int[] tokens = new int[FEW_TOKENS];
        Arrays.setAll(tokens, i -> (int) ((i + 1L) * vocabulary / (FEW_TOKENS + 2)));
        try (KvSequence sequence = runner.newSequence(FEW_TOKENS)) {
            runner.forward(List.of(new Chunk(sequence, tokens, 1)), (chunk, position, logits) -> {});
            ok("forward", FEW_TOKENS + " tokens give finite logits (" + runner.description() + ")");
        } catch (NonFiniteException e) {
            fail("forward", Main.message(e));
        }
    }

    private void answers(Checkpoint checkpoint, ModelRunner runner, Tokenizer tokenizer, boolean isPublished) {
        List<KnownAnswer> known = KnownAnswer.of(checkpoint.config());
        if (known.isEmpty()) {
            left("answers", "none are known of a model of this shape");
        }
        for (KnownAnswer answer : known) {
            KnownAnswer.Agreement agreement = answer.compare(runner, tokenizer, err);
            String detail = "\"" + answer.prompt() + "\": " + agreement.tokens() + " of " + agreement.of()
                    + " tokens as known" + (agreement.isWhole() ? "" : ", then \"" + agreement.instead() + "\"");
            // Where two tokens are nearly tied, arithmetic decides; that happens late if at all.
            if (agreement.isWhole() || agreement.tokens() >= KnownAnswer.ENOUGH) {
                ok("answers", detail);
            } else if (isPublished) {
                fail("answers", detail);
            } else {
                left("answers", detail + " (another fine-tune or coarser numbers may do that)");
            }
        }
    }
}
