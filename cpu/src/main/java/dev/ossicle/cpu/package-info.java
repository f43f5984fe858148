/**
 * The forward pass of a gpt-oss model on the CPU, twice: {@link dev.ossicle.cpu.ReferenceModelRunner} in plain loops and
 * double precision, to be read and to be compared with, and {@link dev.ossicle.cpu.VectorModelRunner} with the Vector API
 * on several threads.
 *
 * <p>Knows the architecture, the number formats of the weights and the processor. Knows nothing of scheduling, sampling,
 * text or files. Letters in comments: L layers, E experts, V vocabulary, H hidden, I intermediate, D head dimension, Q query
 * heads, K key/value heads; T rows (tokens) of a pass, W lanes of a vector.
 */
@NullMarked
package dev.ossicle.cpu;

import org.jspecify.annotations.NullMarked;
