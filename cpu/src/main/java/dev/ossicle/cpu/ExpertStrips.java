package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The experts of one layer, re-laid. */
final class ExpertStrips {
    private final @Nullable Strips[] matrices;

    private ExpertStrips(@Nullable Strips[] matrices) {
        this.matrices = matrices;
    }

    Strips gate(int expert) {
        return matrix(3 * expert);
    }

    Strips up(int expert) {
        return matrix(3 * expert + 1);
    }

    Strips down(int expert) {
        return matrix(3 * expert + 2);
    }

    private Strips matrix(int index) {
        Strips strips = matrices[index];
        if (strips == null) {
            throw new IllegalStateException("matrix " + index + " was not re-laid");
        }
        return strips;
    }

    /**
     * Copies the experts of a layer, and lets go of the pages of the file that hold them. Null if they are not all MXFP4, or if
     * a scale is not a number: then they stay where they are.
     */
    static @Nullable ExpertStrips of(LayerWeights layer, Team team, Arena arena) {
        List<Matrix> sources = new ArrayList<>();
        for (ExpertWeights expert : layer.experts()) {
            sources.addAll(List.of(expert.gate(), expert.up(), expert.down()));
        }
        if (!sources.stream().allMatch(Strips::fit)) {
            return null;
        }
        long[] offsets = new long[sources.size() + 1];
        for (int i = 0; i < sources.size(); i++) {
            offsets[i + 1] = offsets[i] + Strips.bytes(sources.get(i));
        }
        MemorySegment data = SystemMemory.allocate(arena, offsets[sources.size()]);
        @Nullable Strips[] matrices = new Strips[sources.size()];
        team.run(matrices.length, (task, thread) -> matrices[task] = Strips.of(sources.get(task), data, offsets[task]));
        for (Strips strips : matrices) {
            if (strips == null) {
                return null;
            }
        }
        sources.forEach(Strips::release);
        return new ExpertStrips(matrices);
    }
}
