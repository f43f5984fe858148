package dev.ossicle.tools.patch;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.Arguments;
import dev.ossicle.tools.Resources;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The function {@code apply_patch} over one folder, told and answered in the words that gpt-oss was trained with. */
public final class ApplyPatchSession implements ToolSession {
    private static final String FUNCTION = "apply_patch";
    private static final ToolNamespace NAMESPACE = ToolNamespace.functions(
            List.of(new ToolDescription(FUNCTION, "Patch a file", Json.parse("{\"type\": \"string\"}"))));

    /** How to use it, byte for byte OpenAI's apply_patch.md. */
    static final String INSTRUCTIONS = Resources.text(ApplyPatchSession.class, "apply_patch.md");

    private final Workspace workspace;
    private final boolean dryRun;

    /** @param dryRun whether to say what would be done and do nothing */
    public ApplyPatchSession(Workspace workspace, boolean dryRun) {
        this.workspace = workspace;
        this.dryRun = dryRun;
    }

    @Override
    public ToolNamespace namespace() {
        return NAMESPACE;
    }

    @Override
    public String instructions() {
        return INSTRUCTIONS;
    }

    @Override
    public ToolOutput call(String function, String body) {
        if (!function.equals(FUNCTION)) {
            return Arguments.unknownFunction(function);
        }
        String text = body;
        if (body.startsWith("{") || body.startsWith("\"")) {
            try {
                // models name the argument as they like: the last value is it; held to the schema they write a string
                Json json = Json.parse(body);
                Json last = json instanceof JsonObject object
                        ? object.members().values().stream().reduce((a, b) -> b).orElse(Json.of(""))
                        : json;
                text = last instanceof JsonString string ? string.value() : last.toString();
            } catch (JsonException e) {
                return ToolOutput.failure("Error parsing JSON: " + e.getMessage());
            }
        }
        try {
            Patch patch = workspace.plan(text);
            if (dryRun) {
                return ToolOutput.of("Dry run, nothing was changed. The patch fits: " + describe(patch));
            }
            workspace.apply(patch);
            return new ToolOutput("Done!", false, files(patch), List.of());
        } catch (PatchException e) {
            return ToolOutput.failure("Error applying patch: " + e.getMessage());
        }
    }

    private static String describe(Patch patch) {
        List<String> parts = new ArrayList<>();
        for (FileChange change : patch.changes()) {
            parts.add(
                    switch (change) {
                        case FileChange.Add add -> "add " + add.path();
                        case FileChange.Delete delete -> "delete " + delete.path();
                        case FileChange.Update update ->
                            "update " + update.path()
                                    + (update.moveTo() == null ? "" : " and move it to " + update.moveTo());
                    });
        }
        return parts.isEmpty() ? "no changes" : String.join(", ", parts);
    }

    private static List<ToolFile> files(Patch patch) {
        List<ToolFile> files = new ArrayList<>();
        for (FileChange change : patch.changes()) {
            switch (change) {
                case FileChange.Add add -> files.add(file(add.path(), add.content()));
                case FileChange.Delete ignored -> {}
                case FileChange.Update update -> files.add(file(update.target(), update.content()));
            }
        }
        return files;
    }

    private static ToolFile file(String path, String content) {
        return new ToolFile(path, content.getBytes(StandardCharsets.UTF_8).length);
    }

    @Override
    public void close() {}
}
