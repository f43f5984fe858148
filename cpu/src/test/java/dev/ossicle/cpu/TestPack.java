package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A packed file gives what the checkpoint gives, bit for bit, or says why not. */
final class TestPack {
    private static final int[] TOKENS = IntStream.range(0, 20).map(i -> 7 * i).toArray();

    @TempDir
    private Path folder;

    private Path model(String fixture) throws IOException {
        Path model = folder.resolve(fixture + ".gguf");
        Files.copy(TestFixtures.ROOT.resolve(fixture).resolve("model.gguf"), model);
        return model;
    }

    private static float[][] logits(Path model, String described) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                VectorModelRunner runner =
                        VectorModelRunner.of(checkpoint, DeviceOptions.of(2, Precision.FAST), LoadProgress.NONE)) {
            assertThat(runner.description()).matches(".*threads" + described + ", rounded.*");
            return Logits.whole(runner, TOKENS);
        }
    }

    private static Path pack(Path model) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Path target = Pack.beside(checkpoint);
            long[] done = new long[1];
            long bytes = Pack.write(checkpoint, target, 2, (now, all) -> {
                assertThat(now).isBetween(done[0], all);
                done[0] = now;
            });
            assertThat(Files.size(target)).isEqualTo(bytes);
            return target;
        }
    }

    @Test
    void givesTheSame() throws IOException {
        Path model = model("small");
        float[][] want = logits(model, "");
        pack(model);
        assertThat(logits(model, ", weights packed")).isDeepEqualTo(want);
        try (var files = Files.list(folder)) {
            assertThat(files).as("nothing partial is left").hasSize(2);
        }
    }

    @Test
    void exactPrecisionHasNoUseForIt() throws IOException {
        Path model = model("small");
        Files.write(pack(model), new byte[3]);
        try (Checkpoint checkpoint = Checkpoint.open(model);
                VectorModelRunner runner =
                        VectorModelRunner.of(checkpoint, DeviceOptions.of(1, Precision.EXACT), LoadProgress.NONE)) {
            assertThat(runner.description()).doesNotContain("packed");
        }
    }

    @Test
    void onlyWhatIsCopiedIsTold() throws IOException {
        Path model = model("small");
        List<Long> done = told(model, Precision.FAST);
        assertThat(done).isSorted().hasSizeGreaterThan(1);
        assertThat(told(model, Precision.EXACT)).isEmpty();
        long packed = Files.size(pack(model));
        assertThat(done).last().isEqualTo(packed - 4096);
        assertThat(told(model, Precision.FAST)).as("it is mapped").isEmpty();
    }

    private static List<Long> told(Path model, Precision precision) {
        List<Long> told = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            VectorModelRunner.of(checkpoint, DeviceOptions.of(1, precision), (done, all) -> {
                        assertThat(done).isBetween(1L, all);
                        told.add(done);
                    })
                    .close();
        }
        return told;
    }

    @Test
    void saysWhatIsWrongWithIt() throws IOException {
        Path model = model("small");
        Path pack = pack(model);
        byte[] good = Files.readAllBytes(pack);
        refuses(model, pack, changed(good, 0), "not a pack");
        refuses(model, pack, new byte[0], "not a pack");
        refuses(model, pack, changed(good, 15), "another version");
        refuses(model, pack, changed(good, 40), "another checkpoint");
        refuses(model, pack, Arrays.copyOf(good, good.length - 1), "should have");
        refuses(model, pack, Arrays.copyOf(good, good.length + 1), "should have");
        Files.write(pack, good);
        Path other = model("window");
        Files.move(pack, folder.resolve("window.gguf.pack"));
        assertThatThrownBy(() -> logits(other, ""))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "window.gguf.pack: it is of another checkpoint: make it again with 'ossicle pack'");
    }

    private static byte[] changed(byte[] bytes, int at) {
        byte[] changed = bytes.clone();
        changed[at] ^= 1;
        return changed;
    }

    private static void refuses(Path model, Path pack, byte[] content, String because) throws IOException {
        Files.write(pack, content, StandardOpenOption.TRUNCATE_EXISTING);
        assertThatThrownBy(() -> logits(model, ""))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(because);
    }
}
