package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/**
 * The forward pass of one model on one device. Not thread-safe: one thread owns it, and the sequences it made.
 *
 * <p>A row's result does not depend on what else is in the batch, on how a prompt is cut into chunks, or on the number of
 * threads.
 */
public interface ModelRunner extends AutoCloseable {
    ModelConfig config();

    /** What computes, in words, for {@code doctor} and {@code --verbose}: "CPU, Vector API, 256 bits, 2 threads". */
    String description();

    /** How many tokens of prompts are worth computing in one pass: more would not make it faster. */
    default int prefillTokens() {
        return 512;
    }

    /** An empty sequence that may grow to {@code maxContext} positions; memory is taken as it grows. */
    KvSequence newSequence(int maxContext);

    /**
     * Appends each chunk's tokens to its sequence and hands out the logits that the chunks ask for, in order. No sequence
     * may occur twice in a batch.
     *
     * @throws IllegalArgumentException if a token id is outside the vocabulary or a sequence would pass its maximum
     *     context: nothing has been computed then, and no sequence has changed
     * @throws NonFiniteException if the numbers overflow, naming the layer where it began; the sequences of the batch are
     *     of no further use then
     */
    void forward(List<Chunk> batch, LogitsConsumer logits);

    /**
     * Writes what sequences of this runner hold; memory that they share is written once.
     *
     * @throws UnsupportedOperationException if this runner cannot
     */
    default void write(List<KvSequence> sequences, DataOutputStream out) throws IOException {
        throw new UnsupportedOperationException("sequences of this device cannot be written: " + description());
    }

    /**
     * Reads what {@link #write} wrote, for the same model on the same kind of device in the same precision.
     *
     * @throws IOException if it was written for another one; no sequence stays open then
     */
    default List<KvSequence> read(DataInputStream in) throws IOException {
        throw new UnsupportedOperationException("sequences of this device cannot be read: " + description());
    }

    /** Bytes of device memory that the keys and values of all sequences take together. */
    long cacheBytes();

    /** What {@link #cacheBytes} may come to between two passes, so that there is room for what a pass adds. */
    default long cacheCapacity() {
        return Long.MAX_VALUE;
    }

    /** Frees the device's memory, that of all sequences included. */
    @Override
    void close();
}
