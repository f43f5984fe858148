package dev.ossicle.cli;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.TokenizerSource.GgufVocabulary;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Random weights of the real shapes. */
@Command(
        name = "synth",
        description =
                "Writes a GGUF file with random weights of a real model's shapes, for measuring without a download.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The file has MXFP4 experts, Q8_0 (or another format) for the other matrices and the real vocabulary, as published files do; llama.cpp",
            "loads it too. What such a model says is noise.",
            "",
            "Examples:",
            "  ossicle synth --like gpt-oss-20b --out random-20b.gguf                    12.1 GB",
            "  ossicle synth --like gpt-oss-20b --dense Q4_K --out random-20b-q4.gguf",
            "  ossicle synth --like gpt-oss-120b --layers 2 --experts 8 --out small.gguf",
        })
final class SynthCommand implements Callable<Integer> {
    @Option(names = "--like", required = true, paramLabel = "NAME", description = "gpt-oss-20b or gpt-oss-120b.")
    private String like;

    @Option(names = "--layers", paramLabel = "N", description = "Fewer layers than the model has.")
    private @Nullable Integer layers;

    @Option(names = "--experts", paramLabel = "N", description = "Fewer experts in each layer.")
    private @Nullable Integer experts;

    @Option(
            names = "--dense",
            paramLabel = "FORMAT",
            description =
                    "Of attention, embedding and unembedding: Q8_0 (the default), BF16, Q4_K, Q5_0, ... Rows that do not"
                            + " divide into its blocks get what quantisers put there instead.")
    private NumberFormat dense = NumberFormat.Q8_0;

    @Option(names = "--seed", paramLabel = "N", description = "Same seed, same file.", defaultValue = "0")
    private long seed;

    @Option(names = "--out", required = true, paramLabel = "FILE.gguf", description = "Where it goes.")
    private Path out;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    SynthCommand() {}

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        ModelConfig config;
        try {
            config = Synthesis.like(like, optional(layers), optional(experts));
        } catch (IllegalArgumentException e) {
            throw new UsageException(Main.message(e));
        }
        GgufVocabulary vocabulary = vocabulary(Tokenizer.o200kHarmony(), config.vocabulary());
        Progress progress = Progress.writing(err);
        Synthesis.writeGguf(out, config, new Formats(dense, NumberFormat.MXFP4), vocabulary, seed, progress::bytes);
        progress.end();
        err.println("wrote " + out);
        return 0;
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    /** What a GGUF file says of a tokenizer: the content of tokenizer.json under other names. */
    static GgufVocabulary vocabulary(Tokenizer tokenizer, int size) {
        JsonObject json = (JsonObject) Json.parse(tokenizer.toTokenizerJson());
        JsonObject model = (JsonObject) required(json, "model");
        List<String> tokens = new ArrayList<>(Collections.nCopies(size, ""));
        int[] types = new int[size];
        for (int id = 0; id < size; id++) {
            tokens.set(id, "<|unused_" + id + "|>");
            types[id] = 5;
        }
        for (Map.Entry<String, Json> token :
                ((JsonObject) required(model, "vocab")).members().entrySet()) {
            int id = ((JsonNumber) token.getValue()).intValueExact();
            if (id < size) {
                tokens.set(id, token.getKey());
                types[id] = 1;
            }
        }
        for (Json added : ((JsonArray) required(json, "added_tokens")).elements()) {
            JsonObject token = (JsonObject) added;
            int id = ((JsonNumber) required(token, "id")).intValueExact();
            if (id < size) {
                tokens.set(id, ((JsonString) required(token, "content")).value());
                types[id] = 3;
            }
        }
        List<String> merges = new ArrayList<>();
        for (Json merge : ((JsonArray) required(model, "merges")).elements()) {
            merges.add(
                    switch (merge) {
                        case JsonString pair -> pair.value();
                        case JsonArray pair ->
                            ((JsonString) pair.get(0)).value() + " " + ((JsonString) pair.get(1)).value();
                        default -> throw new IllegalStateException("a merge is " + merge.kind());
                    });
        }
        return new GgufVocabulary(
                "gpt2",
                "gpt-4o",
                tokens,
                types,
                merges,
                tokenizer.special("<|startoftext|>"),
                tokenizer.special("<|return|>"),
                tokenizer.special("<|endoftext|>"));
    }

    private static Json required(JsonObject object, String name) {
        Json value = object.get(name);
        if (value == null) {
            throw new IllegalStateException("tokenizer.json has no member " + name);
        }
        return value;
    }
}
