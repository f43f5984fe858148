package dev.ossicle.models;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.models.FoundModel.Format;
import dev.ossicle.models.FoundModel.Source;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Tells a gpt-oss model from others by the first bytes of its files, without opening it. */
final class Peek {
    private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
    private static final byte[] ARCHITECTURE = "general.architecture".getBytes(StandardCharsets.US_ASCII);
    /** The architecture is the first key in all files seen; other keys before it would have to be very long. */
    private static final int HEAD = 1 << 16;

    private static final long LARGEST_JSON = 1 << 24;

    private Peek() {}

    /** A folder with safetensors in either layout: empty if it has none, or none of gpt-oss. */
    static Optional<FoundModel> folder(String name, Source source, Path folder) {
        Path weights = hasWeights(folder) ? folder : folder.resolve("original");
        JsonObject config = json(weights.resolve("config.json"));
        if (config == null || !hasWeights(weights) || !isGptOss(config)) {
            return Optional.empty();
        }
        TreeSet<String> missing = new TreeSet<>();
        JsonObject index = json(weights.resolve("model.safetensors.index.json"));
        if (index != null && index.get("weight_map") instanceof JsonObject map) {
            for (Json file : map.members().values()) {
                if (file instanceof JsonString part && !Files.isRegularFile(weights.resolve(part.value()))) {
                    missing.add(part.value());
                }
            }
        }
        List<Path> files = Folders.entries(weights).stream()
                .filter(file -> Folders.name(file).endsWith(".safetensors"))
                .toList();
        return Optional.of(found(name, source, folder, Format.SAFETENSORS, files, missing));
    }

    /** A GGUF file, the first one if there are several parts: empty for other parts and other models. */
    static Optional<FoundModel> gguf(String name, Source source, Path file) {
        List<Path> parts = new ArrayList<>(List.of(file));
        TreeSet<String> missing = new TreeSet<>();
        Matcher split = PART.matcher(Folders.name(file));
        if (split.matches()) {
            if (Integer.parseInt(split.group(2)) != 1) {
                return Optional.empty();
            }
            for (int i = 2; i <= Integer.parseInt(split.group(3)); i++) {
                String part = String.format(Locale.ROOT, "%s-%05d-of-%s.gguf", split.group(1), i, split.group(3));
                if (Files.isRegularFile(file.resolveSibling(part))) {
                    parts.add(file.resolveSibling(part));
                } else {
                    missing.add(part);
                }
            }
        }
        return isGptOss(file) ? Optional.of(found(name, source, file, Format.GGUF, parts, missing)) : Optional.empty();
    }

    private static FoundModel found(
            String name, Source source, Path path, Format format, List<Path> files, TreeSet<String> missing) {
        long bytes = 0;
        Instant modified = Instant.EPOCH;
        for (Path file : files) {
            try {
                bytes += Files.size(file);
                Instant when = Files.getLastModifiedTime(file).toInstant();
                modified = when.isAfter(modified) ? when : modified;
            } catch (IOException e) {
                missing.add(Folders.name(file));
            }
        }
        String problem = missing.isEmpty() ? null : "incomplete: " + String.join(", ", missing) + " missing";
        return new FoundModel(name, source, path, format, bytes, modified, problem);
    }

    /** Links that lead nowhere count: a cache may hold the name of what it could not download. */
    private static boolean hasWeights(Path folder) {
        return Files.exists(folder.resolve("model.safetensors.index.json"))
                || Folders.entries(folder).stream()
                        .anyMatch(file -> Folders.name(file).endsWith(".safetensors"));
    }

    private static boolean isGptOss(JsonObject config) {
        if (config.get("model_type") instanceof JsonString type) {
            return type.value().equals("gpt_oss");
        }
        return config.get("rope_ntk_alpha") != null && config.get("experts_per_token") != null; // OpenAI's layout
    }

    private static boolean isGptOss(Path gguf) {
        ByteBuffer head;
        try (InputStream in = Files.newInputStream(gguf)) {
            head = ByteBuffer.wrap(in.readNBytes(HEAD)).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            return false;
        }
        if (head.remaining() < 4 || head.getInt(0) != 0x4655_4747) {
            return false;
        }
        String text = new String(head.array(), StandardCharsets.ISO_8859_1);
        int at = text.indexOf(new String(ARCHITECTURE, StandardCharsets.ISO_8859_1));
        int value = at + ARCHITECTURE.length + 4 + 8; // behind the value's type and length
        return at >= 0 && (text.startsWith("gpt-oss", value) || text.startsWith("gptoss", value));
    }

    /** Null if it is none. */
    static @Nullable JsonObject json(Path file) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > LARGEST_JSON) {
                return null;
            }
            return Json.parse(Files.readString(file)) instanceof JsonObject object ? object : null;
        } catch (IOException | JsonException e) {
            return null;
        }
    }
}
