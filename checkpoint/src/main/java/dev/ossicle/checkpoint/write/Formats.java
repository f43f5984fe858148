package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.NumberFormat;

/**
 * What the two kinds of matrices are written in. Norms, biases and sinks are small, and follow the habits of the layout.
 *
 * @param dense embedding, unembedding, attention
 * @param experts the projections inside the experts
 */
public record Formats(NumberFormat dense, NumberFormat experts) {
    /** As OpenAI publishes them. */
    public static final Formats PUBLISHED = new Formats(NumberFormat.BF16, NumberFormat.MXFP4);

    /** As the common GGUF files have them. */
    public static final Formats SMALL = new Formats(NumberFormat.Q8_0, NumberFormat.MXFP4);
}
