package dev.ossicle.harmony;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the developer message says, which other APIs call the system prompt.
 *
 * @param instructions null for no such section; empty for its heading alone
 * @param tools namespaces by name
 */
public record DeveloperContent(@Nullable String instructions, Map<String, ToolNamespace> tools) implements Content {
    public DeveloperContent {
        tools = Tools.copy(tools);
    }

    public static DeveloperContent of(@Nullable String instructions) {
        return new DeveloperContent(instructions, Map.of());
    }

    /** With one more namespace, which takes the place of one of the same name. */
    public DeveloperContent withTools(ToolNamespace namespace) {
        return new DeveloperContent(instructions, Tools.with(tools, namespace));
    }

    public DeveloperContent withFunctionTools(List<ToolDescription> tools) {
        return withTools(ToolNamespace.functions(tools));
    }

    boolean hasFunctionTools() {
        ToolNamespace functions = tools.get(ToolNamespace.FUNCTIONS);
        return functions != null && !functions.tools().isEmpty();
    }
}
