package dev.ossicle.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The GGUF container, version 3: keys and values, descriptions of tensors, then the tensors' bytes, aligned. A split
 * model's files each hold some of its tensors; the first holds its keys.
 *
 * @param metadata of the first file
 */
record Gguf(GgufMetadata metadata, Tensors tensors) {
    private static final int MAGIC = 0x4655_4747; // "GGUF"
    private static final int VERSION = 3;
    private static final int DEFAULT_ALIGNMENT = 32;

    private static final int MOST_DIMENSIONS = 4;

    /** A name of one byte, one dimension, type and offset. */
    private static final long LEAST_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8;

    private static final long LEAST_KEY_BYTES = 8 + 4 + 1;

    private static final Pattern SPLIT_NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    private static final Map<Integer, NumberFormat> FORMATS = Arrays.stream(NumberFormat.values())
            .collect(Collectors.toUnmodifiableMap(NumberFormat::ggufType, format -> format));

    /** Types that occur in the wild and are not read, to say what was found. */
    private static final Map<Integer, String> OTHER_TYPES = Map.ofEntries(
            Map.entry(9, "Q8_1"),
            Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(29, "IQ1_M"),
            Map.entry(34, "TQ1_0"),
            Map.entry(35, "TQ2_0"),
            Map.entry(353, "MXFP4_R8"));

    /** Maps a file, and all others of its model if it is split. */
    static Gguf read(Path path, Arena arena) {
        Tensors tensors = new Tensors(path);
        GgufMetadata metadata = readFile(path, arena, tensors);
        int parts = metadata.integer("split.count", 1);
        if (parts <= 1) {
            return new Gguf(metadata, tensors);
        }
        Matcher name = SPLIT_NAME.matcher(String.valueOf(path.getFileName()));
        if (!name.matches() || Integer.parseInt(name.group(3)) != parts) {
            throw new CheckpointException(
                    path,
                    "is one of " + parts + " parts, expected a name that ends in "
                            + String.format(Locale.ROOT, "-00001-of-%05d.gguf", parts));
        }
        Tensors all = new Tensors(path);
        GgufMetadata first = metadata;
        for (int part = 0; part < parts; part++) {
            Path file = path.resolveSibling(
                    String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", name.group(1), part + 1, parts));
            GgufMetadata partMetadata = readFile(file, arena, all);
            int number = partMetadata.integer("split.no");
            if (number != part || partMetadata.integer("split.count") != parts) {
                throw new CheckpointException(
                        file,
                        "says that it is part " + number + " of " + partMetadata.integer("split.count") + ", expected "
                                + part + " of " + parts);
            }
            if (part == 0) {
                first = partMetadata;
            }
        }
        int expected = first.integer("split.tensors.count");
        if (all.all().size() != expected) {
            throw new CheckpointException(
                    path, "the parts hold " + all.all().size() + " tensors, expected " + expected);
        }
        return new Gguf(first, all);
    }

    private static GgufMetadata readFile(Path path, Arena arena, Tensors into) {
        MappedFile file = MappedFile.map(path, arena);
        GgufCursor cursor = new GgufCursor(file, 0);
        checkMagic(file, cursor);
        int version = cursor.readInt("version");
        if (version != VERSION) {
            throw cursor.fail(
                    4, "GGUF version is " + Integer.toUnsignedString(version) + ", expected 3 (little-endian)");
        }
        long tensorCount = cursor.readCount(LEAST_TENSOR_BYTES, "tensor count");
        long keyCount = cursor.readCount(LEAST_KEY_BYTES, "key count");
        GgufMetadata metadata = new GgufMetadata(file, cursor, keyCount);
        int alignment = metadata.integer("general.alignment", DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > 1 << 20 || Integer.bitCount(alignment) != 1) {
            throw metadata.wrong("general.alignment", "is " + alignment, "a power of two");
        }
        List<Tensor> tensors = new ArrayList<>();
        for (long i = 0; i < tensorCount; i++) {
            tensors.add(readTensor(file, cursor, i, alignment));
        }
        long dataStart = (cursor.at() + alignment - 1) & -alignment;
        place(file, dataStart, tensors).forEach(into::add);
        return metadata;
    }

    private static void checkMagic(MappedFile file, GgufCursor cursor) {
        if (file.size() >= 4 && cursor.readInt("magic") == MAGIC) {
            return;
        }
        StringBuilder found = new StringBuilder();
        for (int i = 0; i < Math.min(4, file.size()); i++) {
            found.append(String.format(Locale.ROOT, " %02x", file.data().get(ValueLayout.JAVA_BYTE, i)));
        }
        throw new CheckpointException(
                file.path(),
                file.path().toString().endsWith(".safetensors")
                        ? "is a safetensors file, expected the folder that it lies in"
                        : "begins with" + (found.isEmpty() ? " nothing" : found) + ", expected 47 47 55 46 (GGUF)");
    }

    /** A tensor whose offset still counts from the data section. */
    private static Tensor readTensor(MappedFile file, GgufCursor cursor, long index, int alignment) {
        String name = cursor.readName("name of tensor " + index);
        long start = cursor.at();
        int dimensions = cursor.readInt("dimensions of tensor " + name);
        if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
            throw cursor.fail(
                    start,
                    "tensor " + name + " has " + Integer.toUnsignedString(dimensions) + " dimensions, expected 1 to "
                            + MOST_DIMENSIONS);
        }
        List<Long> shape = new ArrayList<>();
        long values = 1;
        for (int d = 0; d < dimensions; d++) {
            long at = cursor.at();
            long length = cursor.readLong("dimensions of tensor " + name);
            if (length < 1 || length > Long.MAX_VALUE / 64 / values) {
                throw cursor.fail(
                        at, "tensor " + name + " has a dimension of " + Long.toUnsignedString(length) + " values");
            }
            shape.addFirst(length);
            values *= length;
        }
        long typeAt = cursor.at();
        int type = cursor.readInt("type of tensor " + name);
        NumberFormat format = FORMATS.get(type);
        if (format == null) {
            String known = OTHER_TYPES.containsKey(type) ? " (" + OTHER_TYPES.get(type) + ")" : "";
            throw cursor.fail(
                    typeAt,
                    "tensor " + name + " has the type " + Integer.toUnsignedString(type) + known + ", expected one of "
                            + Arrays.toString(NumberFormat.values()));
        }
        if (shape.getLast() % format.blockLength() != 0) {
            throw cursor.fail(
                    start,
                    "tensor " + name + " has rows of " + shape.getLast() + " values, expected a multiple of "
                            + format.blockLength() + " in " + format);
        }
        long offsetAt = cursor.at();
        long offset = cursor.readLong("offset of tensor " + name);
        if (offset < 0 || offset % alignment != 0) {
            throw cursor.fail(
                    offsetAt,
                    "tensor " + name + " has the offset " + Long.toUnsignedString(offset) + ", expected a multiple of "
                            + alignment);
        }
        return new Tensor(name, format.name(), List.copyOf(shape), file, offset, format.bytes(values));
    }

    /** The same tensors with offsets from the start of the file, all of them inside it and apart. */
    private static List<Tensor> place(MappedFile file, long dataStart, List<Tensor> tensors) {
        List<Tensor> placed = new ArrayList<>();
        for (Tensor t : tensors) {
            if (t.offset() > file.size() - dataStart || t.bytes() > file.size() - dataStart - t.offset()) {
                throw new CheckpointException(
                        file.path(),
                        "tensor " + t.name() + " has " + t.bytes() + " bytes at " + t.offset()
                                + " of the data section, which has " + Math.max(0, file.size() - dataStart));
            }
            placed.add(new Tensor(t.name(), t.type(), t.shape(), file, dataStart + t.offset(), t.bytes()));
        }
        List<Tensor> inOrder = new ArrayList<>(placed);
        Collections.sort(inOrder, Comparator.comparingLong(Tensor::offset));
        for (int i = 1; i < inOrder.size(); i++) {
            Tensor before = inOrder.get(i - 1);
            if (before.offset() + before.bytes() > inOrder.get(i).offset()) {
                throw new CheckpointException(
                        file.path(),
                        "tensor " + inOrder.get(i).name() + " begins at byte "
                                + inOrder.get(i).offset() + ", inside tensor " + before.name());
            }
        }
        return placed;
    }
}
