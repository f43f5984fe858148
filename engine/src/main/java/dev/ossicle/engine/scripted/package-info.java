/**
 * A model that says what it was told to: the test double for everything above the engine, for users' programs too.
 *
 * <p>Knows nothing of text; whoever writes a script brings the tokens.
 */
@NullMarked
package dev.ossicle.engine.scripted;

import org.jspecify.annotations.NullMarked;
