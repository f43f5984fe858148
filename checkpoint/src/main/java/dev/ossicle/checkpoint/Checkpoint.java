package dev.ossicle.checkpoint;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An opened checkpoint: mapped files with a checked configuration and every weight found, of the right shape and format.
 *
 * <p>Thread-safe. Closing it unmaps the files; matrices that are still in use throw {@link IllegalStateException} then.
 */
public final class Checkpoint implements AutoCloseable {
    /** How a checkpoint's files are laid out. */
    public enum Layout {
        ORIGINAL("OpenAI original"),
        HUGGING_FACE("Hugging Face"),
        GGUF("GGUF");

        private final String title;

        Layout(String title) {
            this.title = title;
        }

        @Override
        public String toString() {
            return title;
        }
    }

    /**
     * One tensor as the files name it, for {@code show}.
     *
     * @param format of its numbers; "MXFP4" for a tensor of codes or scales too
     * @param shape outermost dimension first
     */
    public record TensorInfo(String name, String format, List<Long> shape, long bytes, Path file) {}

    private final Path path;
    private final Layout layout;
    private final ModelConfig config;
    private final ModelWeights weights;
    private final ModelWeights baseWeights;
    private final List<TensorInfo> tensors;
    private final List<Integer> endTokens;
    private final Supplier<TokenizerSource> tokenizer;
    private final Arena arena;

    private Checkpoint(
            Path path,
            Layout layout,
            ModelConfig config,
            ModelWeights weights,
            Tensors tensors,
            List<Integer> endTokens,
            Supplier<TokenizerSource> tokenizer,
            Arena arena) {
        this.path = path;
        this.layout = layout;
        this.config = config;
        this.weights = weights;
        this.baseWeights = weights;
        this.tensors = tensors.all().stream().map(Checkpoint::describe).toList();
        this.endTokens = List.copyOf(endTokens);
        this.tokenizer = tokenizer;
        this.arena = arena;
        for (int token : endTokens) {
            if (token < 0 || token >= config.vocabulary()) {
                throw new CheckpointException(
                        path, "end token " + token + " lies outside the vocabulary of " + config.vocabulary());
            }
        }
    }

    /** The same with changed weights. */
    private Checkpoint(Checkpoint base, ModelWeights weights) {
        this.path = base.path;
        this.layout = base.layout;
        this.config = base.config;
        this.weights = weights;
        this.baseWeights = base.weights;
        this.tensors = base.tensors;
        this.endTokens = base.endTokens;
        this.tokenizer = base.tokenizer;
        this.arena = base.arena;
    }

    /**
     * Opens a folder in OpenAI's "original" layout (or one that has such a folder and no weights of its own), a folder in
     * the Hugging Face layout, or a GGUF file (any part of a split one).
     *
     * @throws CheckpointException if it is none of these, or anything in it is wrong; nothing stays open then
     */
    public static Checkpoint open(Path path) {
        return open(path, null);
    }

    /**
     * The same with a LoRA adapter of PEFT's on the projections of its attention.
     *
     * @param adapter a folder with adapter_config.json and adapter_model.safetensors; null for none
     * @throws CheckpointException also if the adapter does not fit the model
     */
    @SuppressWarnings("MustBeClosedChecker") // the checkpoint closes it
    public static Checkpoint open(Path path, @Nullable Path adapter) {
        requireNonNull(path, "path is null");
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            Checkpoint checkpoint = Files.isDirectory(path) ? openFolder(path, arena) : openGguf(path, arena);
            if (adapter != null) {
                checkpoint = new Checkpoint(
                        checkpoint, LoraAdapter.apply(adapter, checkpoint.config, checkpoint.weights, arena));
            }
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static Checkpoint openFolder(Path folder, Arena arena) {
        if (!Safetensors.isIn(folder)) {
            Path original = folder.resolve("original");
            if (!Files.isDirectory(original) || !Safetensors.isIn(original)) {
                throw new CheckpointException(
                        folder,
                        "holds no checkpoint, expected config.json and safetensors files, or a folder \"original\" with"
                                + " them");
            }
            return openFolder(original, arena);
        }
        JsonMembers json = JsonMembers.read(folder.resolve("config.json"));
        if (HuggingFaceLayout.isDescribedBy(json)) {
            ModelConfig config = HuggingFaceLayout.config(json);
            Tensors tensors = Safetensors.read(folder, arena);
            ModelWeights weights = HuggingFaceLayout.weights(tensors, config);
            Path generation = folder.resolve("generation_config.json");
            JsonMembers endsFrom = Files.exists(generation) ? JsonMembers.read(generation) : json;
            return new Checkpoint(
                    folder,
                    Layout.HUGGING_FACE,
                    config,
                    weights,
                    tensors,
                    endsFrom.integers("eos_token_id"),
                    () -> jsonTokenizer(folder),
                    arena);
        }
        ModelConfig config = OriginalLayout.config(json);
        Tensors tensors = Safetensors.read(folder, arena);
        ModelWeights weights = OriginalLayout.weights(tensors, config);
        return new Checkpoint(
                folder, Layout.ORIGINAL, config, weights, tensors, List.of(), () -> jsonTokenizer(folder), arena);
    }

    private static Checkpoint openGguf(Path file, Arena arena) {
        Gguf gguf = Gguf.read(file, arena);
        ModelConfig config = GgufLayout.config(gguf);
        ModelWeights weights = GgufLayout.weights(gguf, config);
        return new Checkpoint(
                file,
                Layout.GGUF,
                config,
                weights,
                gguf.tensors(),
                GgufLayout.endTokens(gguf.metadata()),
                () -> GgufLayout.tokenizer(gguf.metadata()),
                arena);
    }

    /** The only bytes without a format of their own that a reader lets through are codes and scales. */
    private static TensorInfo describe(Tensor tensor) {
        String format = tensor.type().equals("U8") ? NumberFormat.MXFP4.name() : tensor.type();
        return new TensorInfo(
                tensor.name(),
                format,
                tensor.shape(),
                tensor.bytes(),
                tensor.file().path());
    }

    /** In the folder itself, or above an "original" folder, where the published repositories have it. */
    private static TokenizerSource jsonTokenizer(Path folder) {
        Path beside = folder.resolve("tokenizer.json");
        if (Files.isRegularFile(beside)) {
            return new TokenizerSource.JsonFile(beside);
        }
        Path absolute = folder.toAbsolutePath().normalize();
        Path above = absolute.resolveSibling("tokenizer.json");
        boolean original = absolute.endsWith("original");
        return original && Files.isRegularFile(above)
                ? new TokenizerSource.JsonFile(above)
                : new TokenizerSource.None();
    }

    /** The file or folder that was opened. */
    public Path path() {
        return path;
    }

    public Layout layout() {
        return layout;
    }

    public ModelConfig config() {
        return config;
    }

    public ModelWeights weights() {
        return weights;
    }

    /** The weights without an adapter: what the checkpoint's own files hold. */
    public ModelWeights baseWeights() {
        return baseWeights;
    }

    /** Every tensor, in the order of the files. */
    public List<TensorInfo> tensors() {
        return tensors;
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return tensors.stream().mapToLong(TensorInfo::bytes).sum();
    }

    /**
     * Tells models apart whose numbers differ: a digest of the configuration, of all that is small, and of some rows of what is
     * large. Reading all of it would take as long as loading the model.
     */
    public String fingerprint() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
        digest.update((config + " " + bytes()).getBytes(StandardCharsets.UTF_8));
        add(digest, weights.norm());
        add(digest, weights.embedding());
        add(digest, weights.unembedding());
        for (LayerWeights layer : weights.layers()) {
            add(digest, layer.attentionNorm());
            add(digest, layer.queryBias());
            add(digest, layer.sinks());
            add(digest, layer.mlpNorm());
            add(digest, layer.routerBias());
            for (Matrix matrix : List.of(layer.query(), layer.key(), layer.value(), layer.out(), layer.router())) {
                add(digest, matrix);
            }
            add(digest, layer.experts().getFirst().down());
            add(digest, layer.experts().getLast().gate());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Its first and its last row. */
    private static void add(MessageDigest digest, Matrix matrix) {
        float[] row = new float[matrix.columns()];
        for (int at : new int[] {0, matrix.rows() - 1}) {
            matrix.row(at, row, 0);
            add(digest, row);
        }
    }

    private static void add(MessageDigest digest, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
        bytes.asFloatBuffer().put(values);
        digest.update(bytes);
    }

    /** Ids after which a generation ends, as far as the files name any. */
    public List<Integer> endTokens() {
        return endTokens;
    }

    /**
     * Where the tokenizer is. A GGUF vocabulary is only decoded when this is called.
     *
     * @throws CheckpointException if it is broken
     */
    public TokenizerSource tokenizer() {
        return tokenizer.get();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
