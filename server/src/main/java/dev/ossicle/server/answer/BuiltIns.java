package dev.ossicle.server.answer;

import dev.ossicle.tools.ToolSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The tools that this server runs itself, switched on when it starts.
 *
 * @param byType how each is opened for one answer, by the name that OpenAI's API has for it: {@code code_interpreter}
 */
public record BuiltIns(Map<String, Supplier<ToolSession>> byType) {
    /** OpenAI's name for Python. */
    public static final String CODE_INTERPRETER = "code_interpreter";

    public static final BuiltIns NONE = new BuiltIns(Map.of());

    public BuiltIns {
        byType = Map.copyOf(byType);
    }

    public boolean has(String type) {
        return byType.containsKey(type);
    }

    /** Sessions for one answer, which closes them. Cheap: nothing starts before it is called. */
    public List<ToolSession> open(Set<String> types) {
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
