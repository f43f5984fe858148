/**
 * What nano is taught: made-up conversations, family by family, the same for the same random numbers.
 *
 * <p>Each {@link dev.ossicle.train.families.Family} makes questions with the one right answer, thoughts included; {@link
 * dev.ossicle.train.families.Dialogues} mixes them. Phrasings, words and numbers that are held out never occur in training.
 * Knows text and Harmony's tool declarations, nothing of tokens.
 */
@NullMarked
package dev.ossicle.train.families;

import org.jspecify.annotations.NullMarked;
