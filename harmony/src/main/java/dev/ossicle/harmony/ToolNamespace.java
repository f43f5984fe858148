package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Functions under one name: a call goes to {@code namespace.function}. */
public record ToolNamespace(String name, @Nullable String description, List<ToolDescription> tools) {
    /** The namespace of the developer's functions. */
    public static final String FUNCTIONS = "functions";

    public ToolNamespace {
        requireNonNull(name, "name is null");
        tools = List.copyOf(tools);
    }

    /** The developer's functions. */
    public static ToolNamespace functions(List<ToolDescription> tools) {
        return new ToolNamespace(FUNCTIONS, null, tools);
    }

    /** The built-in browser, in the words that gpt-oss was trained with. */
    public static ToolNamespace browser() {
        return BuiltInTools.BROWSER;
    }

    /** The built-in Python notebook, in the words that gpt-oss was trained with. */
    public static ToolNamespace python() {
        return BuiltInTools.PYTHON;
    }
}
