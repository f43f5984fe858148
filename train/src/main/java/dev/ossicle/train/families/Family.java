package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;

/** A kind of question. */
interface Family {
    Turn turn(Draw draw, ReasoningEffort effort);

    /** Thoughts by effort. */
    static String thoughts(ReasoningEffort effort, String low, String medium, String high) {
        return switch (effort) {
            case LOW -> low;
            case MEDIUM -> medium;
            case HIGH -> high;
        };
    }
}
