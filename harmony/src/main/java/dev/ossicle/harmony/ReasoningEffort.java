package dev.ossicle.harmony;

import org.jspecify.annotations.Nullable;

/** How long the model is asked to think. */
public enum ReasoningEffort {
    LOW("Low"),
    MEDIUM("Medium"),
    HIGH("High");

    private final String text;

    ReasoningEffort(String text) {
        this.text = text;
    }

    /** As it stands in JSON; rendered in lower case. */
    public String text() {
        return text;
    }

    static @Nullable ReasoningEffort of(String text) {
        for (ReasoningEffort effort : values()) {
            if (effort.text.equals(text)) {
                return effort;
            }
        }
        return null;
    }
}
