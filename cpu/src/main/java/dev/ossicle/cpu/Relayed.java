package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.cpu.Strips.Format;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The matrices of one layer that were re-laid; null for those that stay where they are. */
record Relayed(
        @Nullable Strips query,
        @Nullable Strips key,
        @Nullable Strips value,
        @Nullable Strips out,
        Strips @Nullable [] experts) {
    /** What is left where it is. */
    static final Relayed NOTHING = new Relayed(null, null, null, null, null);

    /** Rows that one task re-lays. */
    private static final int TASK_ROWS = 2048;

    private record Task(int matrix, int from, int to) {}

    Strips gate(int expert) {
        return expert(3 * expert);
    }

    Strips up(int expert) {
        return expert(3 * expert + 1);
    }

    Strips down(int expert) {
        return expert(3 * expert + 2);
    }

    private Strips expert(int index) {
        if (experts == null) {
            throw new IllegalStateException("the experts were not re-laid");
        }
        return experts[index];
    }

    /**
     * The matrices of a layer that may be re-laid: four of the attention, then three of each expert. The kernels of experts are those
     * of MXFP4, and run in pairs: all experts or none.
     */
    static List<Matrix> sources(LayerWeights layer) {
        List<Matrix> sources = new ArrayList<>(List.of(layer.query(), layer.key(), layer.value(), layer.out()));
        List<Matrix> experts = new ArrayList<>();
        for (ExpertWeights expert : layer.experts()) {
            experts.addAll(List.of(expert.gate(), expert.up(), expert.down()));
        }
        if (experts.stream().allMatch(each -> Strips.formatOf(each).equals(Optional.of(Format.MXFP4)))) {
            sources.addAll(experts);
        }
        return sources;
    }

    /** Copies what can be re-laid of a layer, unless it is there, and lets go of the pages of the file that hold it. */
    static Relayed of(LayerWeights layer, Team team, StripMemory memory) {
        List<Matrix> sources = sources(layer);
        @Nullable Strips[] strips = copy(sources, team, memory);
        Strips[] experts = sources.size() == 4 ? null : new Strips[sources.size() - 4];
        for (int i = 4; experts != null && i < strips.length; i++) {
            Strips each = strips[i];
            if (each == null) {
                experts = null;
                break;
            }
            experts[i - 4] = each;
        }
        return new Relayed(dense(strips[0]), dense(strips[1]), dense(strips[2]), dense(strips[3]), experts);
    }

    /** One matrix on its own. */
    static @Nullable Strips of(Matrix matrix, Team team, StripMemory memory) {
        return dense(copy(List.of(matrix), team, memory)[0]);
    }

    /** What these take in memory. */
    static long bytes(List<Matrix> sources) {
        return sources.stream()
                .mapToLong(matrix -> Strips.formatOf(matrix)
                        .map(format -> Strips.bytes(format, matrix))
                        .orElse(0L))
                .sum();
    }

    private static @Nullable Strips dense(@Nullable Strips strips) {
        return strips != null && strips.format() == Format.Q8_0 ? strips : null;
    }

    /** Null for what cannot be re-laid, or has a scale that is not a number. */
    static @Nullable Strips[] copy(List<Matrix> sources, Team team, StripMemory memory) {
        MemorySegment data = memory.next(bytes(sources));
        @Nullable Strips[] strips = new Strips[sources.size()];
        List<Task> tasks = new ArrayList<>();
        long offset = 0;
        for (int i = 0; i < strips.length; i++) {
            Matrix matrix = sources.get(i);
            Format format = Strips.formatOf(matrix).orElse(null);
            if (format != null) {
                strips[i] = new Strips(format, matrix.rows(), matrix.columns() / 32, data, offset);
                offset += Strips.bytes(format, matrix);
                for (int row = 0; row < matrix.rows(); row += TASK_ROWS) {
                    tasks.add(new Task(i, row, Math.min(row + TASK_ROWS, matrix.rows())));
                }
            }
        }
        if (memory.isFilled()) {
            return strips;
        }
        boolean[] broken = new boolean[tasks.size()];
        team.run(tasks.size(), (index, thread) -> {
            Task task = tasks.get(index);
            Strips target = strips[task.matrix];
            broken[index] = target != null && !target.fill(sources.get(task.matrix), task.from, task.to);
        });
        for (int i = 0; i < broken.length; i++) {
            if (broken[i]) {
                strips[tasks.get(i).matrix] = null;
            }
        }
        for (int i = 0; i < strips.length; i++) {
            if (strips[i] != null) {
                Strips.release(sources.get(i));
            }
        }
        return strips;
    }
}
