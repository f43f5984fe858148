package dev.ossicle.train.families;

import org.jspecify.annotations.Nullable;

/**
 * A question and the one answer to it that counts as right.
 *
 * @param family what kind of question it is
 * @param analysis empty if the effort asks for none
 * @param call null if none is needed
 * @param answer after the call, if there is one
 */
public record Turn(
        String family,
        String user,
        String analysis,
        @Nullable Call call,
        String answer) {
    /**
     * A call and what came back.
     *
     * @param recipient {@code python} or {@code functions.name}
     * @param result the tool's message, line end included
     */
    public record Call(String recipient, String body, String result) {
        public boolean isPython() {
            return recipient.equals("python");
        }
    }

    static Turn of(String family, String user, String analysis, String answer) {
        return new Turn(family, user, analysis, null, answer);
    }
}
