package dev.ossicle.server.answer;

import dev.ossicle.tools.ToolSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The tools that this server runs itself, switched on when it starts.
 *
 * @param byType how each is opened for one answer, by its name here
 * @param mcp servers whose tools a request may use
 */
public record BuiltIns(Map<String, Supplier<ToolSession>> byType, McpServers mcp) {
    /** OpenAI's name for Python. */
    public static final String CODE_INTERPRETER = "code_interpreter";

    /** OpenAI's name for the browser. */
    public static final String WEB_SEARCH = "web_search";

    public static final BuiltIns NONE = new BuiltIns(Map.of());

    public BuiltIns(Map<String, Supplier<ToolSession>> byType) {
        this(byType, McpServers.NONE);
    }

    public BuiltIns {
        byType = Map.copyOf(byType);
    }

    /** Of the names that a tool has or had, the one here; null if this server does not run it. */
    public @Nullable String type(String asked) {
        String type = asked.startsWith("web_search") || asked.equals("browser_search") ? WEB_SEARCH : asked;
        return byType.containsKey(type) ? type : null;
    }

    /** Sessions for one answer, which closes them. Cheap: nothing starts before it is called. */
    List<ToolSession> open(Set<String> types) {
        List<ToolSession> sessions = new ArrayList<>();
        types.forEach(type -> {
            Supplier<ToolSession> tool = byType.get(type);
            if (tool != null) {
                sessions.add(tool.get());
            }
        });
        return sessions;
    }
}
