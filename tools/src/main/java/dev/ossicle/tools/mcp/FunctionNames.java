package dev.ossicle.tools.mcp;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * What the model calls tools: {@code LABEL__TOOL}, of letters, digits, {@code _} and {@code -}, which is all that can stand in
 * the header of a call. Two servers may have tools of the same name; no label has two {@code _} in a row.
 */
final class FunctionNames {
    private static final String BETWEEN = "__";
    private static final int MAX_LABEL = 32;

    /** OpenAI's own limit for a function's name. */
    private static final int MAX_NAME = 64;

    private FunctionNames() {}

    /** A label as it stands in names. */
    static String label(String label) {
        String clean = clean(label).replaceAll("_+", "_").replaceAll("^_|_$", "");
        return clean.isEmpty() ? "mcp" : clean.substring(0, Math.min(MAX_LABEL, clean.length()));
    }

    static String prefix(String label) {
        return label(label) + BETWEEN;
    }

    /** The tools of a server, by the names that the model has for them, in their order. */
    static Map<String, McpTool> of(String label, List<McpTool> tools) {
        Map<String, McpTool> named = new LinkedHashMap<>();
        for (McpTool tool : tools) {
            String name = prefix(label) + clean(tool.name());
            if (name.length() > MAX_NAME || named.containsKey(name)) {
                name = name.substring(0, Math.min(name.length(), MAX_NAME - 9)) + "_" + hash(tool.name());
            }
            named.put(name, tool);
        }
        return named;
    }

    private static String clean(String name) {
        return name.replaceAll("[^A-Za-z0-9_-]", "_");
    }

    private static String hash(String name) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }
}
