/**
 * {@code ossicle eval}: asks a model questions whose right answers are known, and counts.
 *
 * <p>Knows the public chat API and its own file of questions, nothing of how a model is trained.
 */
@NullMarked
package dev.ossicle.evals;

import org.jspecify.annotations.NullMarked;
