package dev.ossicle.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/** Where a checkpoint's tokenizer is to be had. What to make of it is for others to know. */
public sealed interface TokenizerSource {

    /** A tokenizer.json of Hugging Face beside the weights. */
    record JsonFile(Path path) implements TokenizerSource {}

    /**
     * The vocabulary that a GGUF file carries.
     *
     * @param model kind of tokenizer: "gpt2" is byte-level BPE
     * @param pre name of its splitting pattern: "gpt-4o"; empty if the file does not say
     * @param tokens by id, bytes written as the characters of byte-level BPE
     * @param types of the tokens (1 normal, 3 control, 4 user-defined, 5 unused); empty if the file does not say
     * @param merges two tokens with a space between, best first
     */
    record GgufVocabulary(
            String model,
            String pre,
            List<String> tokens,
            int[] types,
            List<String> merges,
            OptionalInt begin,
            OptionalInt end,
            OptionalInt padding)
            implements TokenizerSource {}

    /** The files name none, as in OpenAI's own layout. */
    record None() implements TokenizerSource {}
}
