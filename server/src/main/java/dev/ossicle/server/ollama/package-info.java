/** Ollama's dialect. */
@NullMarked
package dev.ossicle.server.ollama;

import org.jspecify.annotations.NullMarked;
