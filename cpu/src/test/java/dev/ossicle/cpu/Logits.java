package dev.ossicle.cpu;

import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Runs tokens through a runner and keeps the logits of every position. */
final class Logits {
    private Logits() {}

    /** All positions at once. */
    static float[][] whole(ModelRunner runner, int[] tokens) {
        return pieces(runner, tokens, tokens.length);
    }

    /** So many tokens at a time; 1 is decoding. */
    static float[][] pieces(ModelRunner runner, int[] tokens, int piece) {
        float[][] out = new float[tokens.length][];
        try (KvSequence sequence = runner.newSequence(tokens.length)) {
            for (int at = 0; at < tokens.length; at += piece) {
                append(runner, sequence, Arrays.copyOfRange(tokens, at, Math.min(at + piece, tokens.length)), out);
            }
        }
        return out;
    }

    /** Cut anywhere. */
    static float[][] randomPieces(ModelRunner runner, int[] tokens, Random random) {
        float[][] out = new float[tokens.length][];
        try (KvSequence sequence = runner.newSequence(tokens.length)) {
            for (int at = 0; at < tokens.length; ) {
                int left = tokens.length - at;
                int count = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(left);
                append(runner, sequence, Arrays.copyOfRange(tokens, at, at + count), out);
                at += count;
            }
        }
        return out;
    }

    /** Appends the tokens and puts their logits where their positions are. */
    static void append(ModelRunner runner, KvSequence sequence, int[] tokens, float[][] out) {
        runner.forward(
                List.of(new Chunk(sequence, tokens, tokens.length)),
                (chunk, position, logits) -> out[position] = logits.values().clone());
    }

    /** Length of the difference by the length of what is wanted. */
    static double relativeError(float[] got, float[] want) {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < want.length; i++) {
            double d = (double) got[i] - want[i];
            difference += d * d;
            length += (double) want[i] * want[i];
        }
        return Math.sqrt(difference / length);
    }
}
