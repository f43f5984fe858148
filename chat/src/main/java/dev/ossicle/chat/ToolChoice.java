package dev.ossicle.chat;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which of the functions may be called, and whether one has to be. The model is told of all of them in any case, so that its
 * prompt stays the same.
 *
 * @param required whether the turn must end in a call
 * @param allowed names of those that may be called; null for all
 */
public record ToolChoice(boolean required, @Nullable Set<String> allowed) {
    public static final ToolChoice AUTO = new ToolChoice(false, null);
    public static final ToolChoice NONE = new ToolChoice(false, Set.of());
    public static final ToolChoice REQUIRED = new ToolChoice(true, null);

    public ToolChoice {
        allowed = allowed == null ? null : Set.copyOf(allowed);
    }

    boolean allows(String function) {
        return allowed == null || allowed.contains(function);
    }
}
