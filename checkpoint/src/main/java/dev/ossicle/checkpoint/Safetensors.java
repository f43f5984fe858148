package dev.ossicle.checkpoint;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The safetensors container: the length of a header in eight bytes, the header in JSON (name: {dtype, shape,
 * data_offsets}), then the tensors' bytes without gaps.
 */
final class Safetensors {
    static final String INDEX = "model.safetensors.index.json";

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The largest model's header has 100 kB. */
    private static final int LONGEST_HEADER = 4 << 20;

    private static final int MOST_DIMENSIONS = 8;

    private static final Map<String, Integer> TYPE_BYTES = Map.ofEntries(
            Map.entry("BOOL", 1),
            Map.entry("U8", 1),
            Map.entry("I8", 1),
            Map.entry("F8_E4M3", 1),
            Map.entry("F8_E5M2", 1),
            Map.entry("F8_E8M0", 1),
            Map.entry("U16", 2),
            Map.entry("I16", 2),
            Map.entry("F16", 2),
            Map.entry("BF16", 2),
            Map.entry("U32", 4),
            Map.entry("I32", 4),
            Map.entry("F32", 4),
            Map.entry("U64", 8),
            Map.entry("I64", 8),
            Map.entry("F64", 8));

    private Safetensors() {}

    /** Whether a folder holds weights in this container. */
    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(INDEX)) || !files(folder).isEmpty();
    }

    /** Maps all tensors of a folder: those of the files that its index names, else of all its safetensors files. */
    static Tensors read(Path folder, Arena arena) {
        Tensors tensors = new Tensors(folder);
        Path index = folder.resolve(INDEX);
        if (!Files.exists(index)) {
            List<Path> files = files(folder);
            if (files.isEmpty()) {
                throw new CheckpointException(folder, "holds no safetensors file");
            }
            files.forEach(file -> readFile(MappedFile.map(file, arena), tensors));
            return tensors;
        }
        Map<String, String> fileOf = readIndex(index);
        fileOf.values().stream()
                .distinct()
                .sorted()
                .forEach(file -> readFile(MappedFile.map(folder.resolve(file), arena), tensors));
        fileOf.forEach((name, file) -> {
            Tensor tensor = tensors.find(name);
            if (tensor == null || !tensor.file().path().equals(folder.resolve(file))) {
                throw new CheckpointException(folder.resolve(file), "lacks tensor " + name + ", which the index names");
            }
        });
        return tensors;
    }

    /** Maps the tensors of one file. */
    static Tensors readOne(Path file, Arena arena) {
        Tensors tensors = new Tensors(file);
        readFile(MappedFile.map(file, arena), tensors);
        return tensors;
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(file -> file.getFileName().toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw new CheckpointException(folder, "cannot be read: " + MappedFile.reason(e), e);
        }
    }

    private static Map<String, String> readIndex(Path index) {
        JsonMembers root = JsonMembers.read(index);
        JsonMembers map = root.members("weight_map").orElseThrow(() -> root.wrong("weight_map", null, "an object"));
        Map<String, String> fileOf = new TreeMap<>();
        for (String name : map.object().members().keySet()) {
            String file = map.string(name).orElse("");
            // A checkpoint reads nothing outside its own folder.
            if (!isPlainName(file)) {
                throw map.wrong(name, new JsonString(file), "the name of a file in this folder");
            }
            fileOf.put(name, file);
        }
        return fileOf;
    }

    private static boolean isPlainName(String name) {
        try {
            return name.matches("[^/\\\\:]+")
                    && !name.equals(".")
                    && !name.equals("..")
                    && Path.of(name).getNameCount() == 1;
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static void readFile(MappedFile file, Tensors into) {
        if (file.size() < 8) {
            throw new CheckpointException(
                    file.path(), "has " + file.size() + " bytes, expected a header's length in the first 8");
        }
        long headerLength = file.data().get(LONG, 0);
        if (headerLength < 2 || headerLength > Math.min(file.size() - 8, LONGEST_HEADER)) {
            throw new CheckpointException(
                    file.path(),
                    "header at byte 8 has the length " + Long.toUnsignedString(headerLength) + ", expected 2 to "
                            + Math.min(file.size() - 8, LONGEST_HEADER));
        }
        String text = file.text(8, (int) headerLength, "header");
        JsonObject header =
                JsonMembers.parse(file.path(), text, "header at byte 8 ").object();
        List<Tensor> tensors = new ArrayList<>();
        header.members().forEach((name, entry) -> {
            if (!name.equals("__metadata__")) {
                tensors.add(tensor(file, 8 + headerLength, name, entry));
            }
        });
        checkTiling(file, 8 + headerLength, tensors);
        tensors.forEach(into::add);
    }

    private static Tensor tensor(MappedFile file, long dataStart, String name, Json entry) {
        if (!(entry instanceof JsonObject object)
                || !(object.get("dtype") instanceof JsonString type)
                || !(object.get("shape") instanceof JsonArray dimensions)
                || !(object.get("data_offsets") instanceof JsonArray offsets)
                || offsets.size() != 2) {
            throw new CheckpointException(
                    file.path(), "tensor " + name + " is not described by dtype, shape and two data_offsets");
        }
        Integer size = TYPE_BYTES.get(type.value());
        if (size == null) {
            throw new CheckpointException(file.path(), "tensor " + name + " has the unknown type " + type.value());
        }
        if (dimensions.size() > MOST_DIMENSIONS) {
            throw new CheckpointException(
                    file.path(),
                    "tensor " + name + " has " + dimensions.size() + " dimensions, expected at most "
                            + MOST_DIMENSIONS);
        }
        List<Long> shape = new ArrayList<>();
        long bytes = size;
        try {
            for (Json dimension : dimensions.elements()) {
                long length = natural(dimension);
                shape.add(length);
                bytes = Math.multiplyExact(bytes, length);
            }
            long begin = natural(offsets.get(0));
            long end = natural(offsets.get(1));
            if (end - begin != bytes || end > file.size() - dataStart) {
                throw new CheckpointException(
                        file.path(),
                        "tensor " + name + " lies at bytes " + begin + " to " + end + " of " + (file.size() - dataStart)
                                + ", expected " + bytes + " bytes within them");
            }
            return new Tensor(name, type.value(), List.copyOf(shape), file, dataStart + begin, bytes);
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    file.path(), "tensor " + name + " has a shape or offset that is no natural number of 63 bits", e);
        }
    }

    private static long natural(Json value) {
        if (!(value instanceof JsonNumber number)) {
            throw new ArithmeticException(value.kind());
        }
        long natural = number.longValueExact();
        if (natural < 0) {
            throw new ArithmeticException("negative");
        }
        return natural;
    }

    /** Tensors neither overlap nor leave gaps, as the format has it: anything else is a broken header. */
    private static void checkTiling(MappedFile file, long dataStart, List<Tensor> tensors) {
        long at = dataStart;
        for (Tensor tensor : tensors.stream()
                .sorted(Comparator.comparingLong(Tensor::offset).thenComparingLong(Tensor::bytes))
                .toList()) {
            if (tensor.offset() != at) {
                throw new CheckpointException(
                        file.path(),
                        "tensor " + tensor.name() + " begins at byte " + tensor.offset() + ", "
                                + (tensor.offset() < at ? "inside another that ends" : "behind a gap that begins")
                                + " at byte " + at);
            }
            at += tensor.bytes();
        }
        if (at != file.size()) {
            throw new CheckpointException(
                    file.path(), "has " + file.size() + " bytes, expected " + at + ", where the last tensor ends");
        }
    }
}
