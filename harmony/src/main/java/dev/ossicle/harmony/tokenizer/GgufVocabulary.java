package dev.ossicle.harmony.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A vocabulary as GGUF files hold it: three parallel lists. */
final class GgufVocabulary {
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    private GgufVocabulary() {}

    static Tokenizer read(List<String> tokens, int[] types, List<String> merges) {
        if (types.length != tokens.size()) {
            throw new TokenizerException("tokenizer.ggml.token_type has " + types.length
                    + " entries, expected one for each of the " + tokens.size() + " tokens");
        }
        Tokenizer.Builder builder = Tokenizer.builder();
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < types.length; id++) {
            String token = tokens.get(id);
            switch (types[id]) {
                case NORMAL -> {
                    byte[] bytes = ByteLevel.decode(token);
                    if (bytes == null) {
                        throw new TokenizerException(
                                "tokenizer.ggml.tokens[" + id + "] is not in byte-to-unicode form: " + token);
                    }
                    builder.token(id, bytes);
                    ids.put(token, id);
                }
                case CONTROL, USER_DEFINED -> builder.special(token, id);
                case UNUSED -> {}
                default ->
                    throw new TokenizerException("tokenizer.ggml.token_type[" + id + "] is " + types[id]
                            + ", expected 1 (normal), 3 (control), 4 (user defined) or 5 (unused)");
            }
        }
        for (int rank = 0; rank < merges.size(); rank++) {
            String merge = merges.get(rank);
            int space = merge.indexOf(' ', 1);
            Integer left = space < 0 ? null : ids.get(merge.substring(0, space));
            Integer right = space < 0 ? null : ids.get(merge.substring(space + 1));
            if (left == null || right == null) {
                throw new TokenizerException(
                        "tokenizer.ggml.merges[" + rank + "] is not two tokens with a space between: " + merge);
            }
            builder.merge(left, right);
        }
        return builder.build();
    }
}
