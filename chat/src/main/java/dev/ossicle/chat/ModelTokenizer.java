package dev.ossicle.chat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.TokenizerSource;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.harmony.tokenizer.TokenizerException;
import java.io.IOException;
import java.util.List;

/** The tokenizer that belongs to a checkpoint. */
public final class ModelTokenizer {
    /** What a Harmony conversation cannot do without. */
    private static final List<String> CONTROL_TOKENS =
            List.of("<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>", "<|call|>");

    private ModelTokenizer() {}

    /** Whether the checkpoint, which brings no tokenizer, has the rows of OpenAI's. */
    public static boolean isO200k(Checkpoint checkpoint) {
        return checkpoint.config().vocabulary() == ModelConfig.GPT_OSS_20B.vocabulary();
    }

    /**
     * @throws CheckpointException if there is none, or it does not fit the model
     */
    public static Tokenizer of(Checkpoint checkpoint) {
        Tokenizer tokenizer = read(checkpoint);
        int rows = checkpoint.config().vocabulary();
        for (String name : CONTROL_TOKENS) {
            int id = tokenizer
                    .special(name)
                    .orElseThrow(() -> new CheckpointException(
                            checkpoint.path(),
                            "its tokenizer has no control token " + name + ", so it cannot speak Harmony"));
            if (id >= rows) {
                throw new CheckpointException(
                        checkpoint.path(),
                        "its tokenizer's control token " + name + " is " + id + ", but the model has only " + rows
                                + " rows: the tokenizer belongs to another model");
            }
        }
        return tokenizer;
    }

    private static Tokenizer read(Checkpoint checkpoint) {
        try {
            return switch (checkpoint.tokenizer()) {
                case TokenizerSource.JsonFile(var file) -> Tokenizer.fromTokenizerJson(file);
                case TokenizerSource.GgufVocabulary vocabulary ->
                    Tokenizer.fromGguf(vocabulary.tokens(), vocabulary.types(), vocabulary.merges());
                case TokenizerSource.None ignored -> {
                    if (!isO200k(checkpoint)) {
                        throw new CheckpointException(
                                checkpoint.path(),
                                "has no tokenizer: put the model's tokenizer.json beside its weights");
                    }
                    yield Tokenizer.o200kHarmony();
                }
            };
        } catch (TokenizerException | IOException e) {
            throw new CheckpointException(checkpoint.path(), "its tokenizer cannot be used: " + e.getMessage(), e);
        }
    }
}
