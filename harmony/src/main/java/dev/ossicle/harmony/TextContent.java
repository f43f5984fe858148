package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;

/** Text as it is. */
public record TextContent(String text) implements Content {
    public TextContent {
        requireNonNull(text, "text is null");
    }
}
