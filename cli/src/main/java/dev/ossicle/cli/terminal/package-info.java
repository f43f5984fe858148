/**
 * A conversation at a terminal: lines are edited and remembered, commands begin with a slash, answers are Markdown that is
 * laid out while it streams.
 *
 * <p>{@link dev.ossicle.cli.terminal.ChatSession} is the loop, a {@link dev.ossicle.cli.terminal.Console} is where it takes
 * place. {@link dev.ossicle.cli.terminal.Markdown} turns text into lines and knows no terminal;
 * {@link dev.ossicle.cli.terminal.LiveRegion} is all that moves the cursor. Nothing that a model wrote reaches a terminal but
 * through {@link dev.ossicle.cli.terminal.Harmless}. Knows nothing of the command line, of models or of how tools are opened.
 */
@NullMarked
package dev.ossicle.cli.terminal;

import org.jspecify.annotations.NullMarked;
