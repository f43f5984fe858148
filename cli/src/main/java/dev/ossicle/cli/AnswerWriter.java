package dev.ossicle.cli;

import dev.ossicle.engine.GenerationEvent.Done;
import org.jspecify.annotations.Nullable;

/** Where the parts of an answer go as they stream in. */
interface AnswerWriter {
    /** More text of one message. The channel changes only between messages. */
    void text(String channel, @Nullable String recipient, String text);

    /** A message is complete. */
    void endOfMessage();

    /** The answer is complete, or was cut. */
    void end(Done done);
}
