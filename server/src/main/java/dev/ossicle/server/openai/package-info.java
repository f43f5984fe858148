/** OpenAI's dialects: chat completions, responses, completions, models; and counting tokens. */
@NullMarked
package dev.ossicle.server.openai;

import org.jspecify.annotations.NullMarked;
