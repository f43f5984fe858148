package dev.ossicle.checkpoint;

import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** All tensors of a checkpoint by name. Each is taken once, by what expects a certain shape and type of it. */
final class Tensors {
    /** Numbers that stand alone, as vectors and transposed matrices need. */
    static final Set<NumberFormat> PLAIN =
            Collections.unmodifiableSet(EnumSet.of(NumberFormat.BF16, NumberFormat.F16, NumberFormat.F32));

    static final Set<NumberFormat> ANY = Collections.unmodifiableSet(EnumSet.allOf(NumberFormat.class));

    private final Path checkpoint;
    private final Map<String, Tensor> byName = new LinkedHashMap<>();
    private final Set<String> taken = new HashSet<>();

    Tensors(Path checkpoint) {
        this.checkpoint = checkpoint;
    }

    void add(Tensor tensor) {
        Tensor other = byName.putIfAbsent(tensor.name(), tensor);
        if (other != null) {
            throw new CheckpointException(
                    tensor.file().path(),
                    "tensor " + tensor.name() + " is also in " + other.file().path());
        }
    }

    boolean has(String name) {
        return byName.containsKey(name);
    }

    @Nullable
    Tensor find(String name) {
        return byName.get(name);
    }

    Collection<Tensor> all() {
        return byName.values();
    }

    /** The first of these names that there is, else the first. */
    String either(String name, String otherName) {
        return has(name) || !has(otherName) ? name : otherName;
    }

    /** A tensor that must be there in one of these formats and in this shape. */
    Tensor take(String name, Set<NumberFormat> formats, long... shape) {
        return take(name, formats.stream().map(NumberFormat::name).toList(), shape);
    }

    /** The same for bytes that are no number format by themselves: the codes or scales of MXFP4. */
    Tensor takeBytes(String name, long... shape) {
        return take(name, List.of("U8"), shape);
    }

    private Tensor take(String name, List<String> types, long... shape) {
        Tensor tensor = byName.get(name);
        if (tensor == null) {
            throw new CheckpointException(checkpoint, "tensor " + name + " is missing");
        }
        List<Long> expected = LongStream.of(shape).boxed().toList();
        if (!withoutLeadingOnes(tensor.shape()).equals(withoutLeadingOnes(expected))) {
            throw new CheckpointException(
                    tensor.file().path(),
                    "tensor " + name + " has the shape " + Tensor.describe(tensor.shape()) + ", expected "
                            + Tensor.describe(expected));
        }
        if (!types.contains(tensor.type())) {
            throw new CheckpointException(
                    tensor.file().path(),
                    "tensor " + name + " has the type " + tensor.type() + ", expected "
                            + types.stream().sorted().collect(Collectors.joining(" or ")));
        }
        taken.add(name);
        return tensor;
    }

    float[] takeVector(String name, int length) {
        return take(name, PLAIN, length).vector(length);
    }

    /** Refuses tensors that nobody took: what they hold would be missing from the answers. */
    void refuseOthers(Predicate<String> harmless) {
        for (Tensor tensor : byName.values()) {
            if (!taken.contains(tensor.name()) && !harmless.test(tensor.name())) {
                throw new CheckpointException(
                        tensor.file().path(), "tensor " + tensor.name() + " has no place in a gpt-oss model");
            }
        }
    }

    /** GGUF's writers drop outer dimensions of one, such as that of a single expert. */
    private static List<Long> withoutLeadingOnes(List<Long> shape) {
        int first = 0;
        while (first < shape.size() - 1 && shape.get(first) == 1) {
            first++;
        }
        return shape.subList(first, shape.size());
    }
}
