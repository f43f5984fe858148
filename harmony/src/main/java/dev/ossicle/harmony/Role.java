package dev.ossicle.harmony;

import org.jspecify.annotations.Nullable;

/** Who speaks. */
public enum Role {
    USER("user"),
    ASSISTANT("assistant"),
    SYSTEM("system"),
    DEVELOPER("developer"),
    TOOL("tool");

    private final String text;

    Role(String text) {
        this.text = text;
    }

    /** As it stands in headers and in JSON. */
    public String text() {
        return text;
    }

    /** The role of that text, in lower case; null if there is none. */
    public static @Nullable Role of(String text) {
        for (Role role : values()) {
            if (role.text.equals(text)) {
                return role;
            }
        }
        return null;
    }
}
