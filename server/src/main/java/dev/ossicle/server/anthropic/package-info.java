/** Anthropic's dialect: messages. */
@NullMarked
package dev.ossicle.server.anthropic;

import org.jspecify.annotations.NullMarked;
