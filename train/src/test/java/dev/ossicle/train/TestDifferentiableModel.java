package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.ReferenceModelRunner;
import dev.ossicle.engine.Chunk;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Most of it against logits that an independent model computed in double precision: fixtures/model. */
@EnabledIfPyTorch
final class TestDifferentiableModel {
    private static final Path FIXTURES = Path.of("..", "fixtures", "model");

    @ParameterizedTest
    @ValueSource(strings = {"small", "window"})
    void logitsAreTheArchitectures(String name) throws IOException {
        Path folder = FIXTURES.resolve(name);
        int[] tokens = tokens(folder.resolve("tokens.json"));
        FloatBuffer expected = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("logits.f32")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("hf"))) {
            ParameterLayout layout = new ParameterLayout(checkpoint.config());
            float[] weights = CheckpointWeights.flatten(checkpoint.weights(), layout);
            float[] logits = logits(layout, weights, Batch.of(tokens));
            int vocabulary = checkpoint.config().vocabulary();
            assertThat(logits).hasSize(tokens.length * vocabulary).hasSize(expected.remaining());
            for (int position = 0; position < tokens.length; position++) {
                float[] one = new float[vocabulary];
                expected.get(position * vocabulary, one);
                int at = position * vocabulary;
                assertThat(relativeError(one, Arrays.copyOfRange(logits, at, at + vocabulary)))
                        .as("relative error at position %d of %s", position, name)
                        .isLessThan(1e-4);
            }
        }
    }

    @Test
    void conversationsInOneRowDoNotSeeEachOther() throws IOException {
        Path folder = FIXTURES.resolve("window");
        int[] tokens = tokens(folder.resolve("tokens.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("hf"))) {
            ParameterLayout layout = new ParameterLayout(checkpoint.config());
            float[] weights = CheckpointWeights.flatten(checkpoint.weights(), layout);
            int first = 60;
            int second = 50;
            int[] both = Arrays.copyOf(tokens, first + second);
            int[] position = new int[both.length];
            int[] at = new int[second];
            for (int i = 0; i < both.length; i++) {
                position[i] = i < first ? i : i - first;
            }
            for (int i = 0; i < second; i++) {
                at[i] = first + i;
            }
            float[] packed = logits(layout, weights, new Batch(1, both.length, both, position, at, new int[second]));
            float[] alone = logits(layout, weights, Batch.of(Arrays.copyOfRange(tokens, first, first + second)));
            assertThat(packed).hasSameSizeAs(alone);
            for (int i = 0; i < alone.length; i++) {
                assertThat(packed[i]).isCloseTo(alone[i], within(1e-3f));
            }
        }
    }

    @Test
    void logitsAreTheReferenceRunners() {
        long seed = 7;
        // Heads that share keys, a window, more experts than are picked, and an odd layer count.
        ModelConfig config = new ModelConfig(3, 5, 4, 70, 64, 32, 16, 6, 3, 5, 1000, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        ParameterLayout layout = new ParameterLayout(config);
        float[] weights = layout.initialise(seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < weights.length; i++) {
            weights[i] += (float) (0.3 * random.nextGaussian()); // biases and sinks too, and some clamping
        }
        int[] tokens = random.ints(40, 0, config.vocabulary()).toArray();
        float[] logits = logits(layout, weights, Batch.of(tokens));
        try (ReferenceModelRunner runner =
                new ReferenceModelRunner(config, CheckpointWeights.matrices(layout, weights))) {
            runner.forward(
                    List.of(new Chunk(runner.newSequence(tokens.length), tokens, tokens.length)),
                    (chunk, position, expected) -> {
                        int at = position * config.vocabulary();
                        assertThat(relativeError(
                                        expected.values(), Arrays.copyOfRange(logits, at, at + config.vocabulary())))
                                .as("position %d, seed %d", position, seed)
                                .isLessThan(1e-4);
                    });
        }
    }

    @Test
    void gradientIsTheSlopeOfTheLoss() {
        long seed = 11;
        ModelConfig config = new ModelConfig(2, 4, 2, 40, 32, 32, 8, 4, 2, 4, 1000, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        ParameterLayout layout = new ParameterLayout(config);
        float[] weights = layout.initialise(seed);
        SplittableRandom random = new SplittableRandom(seed);
        int[] tokens = random.ints(12, 0, config.vocabulary()).toArray();
        Batch all = Batch.of(tokens);
        Batch batch = new Batch(1, 12, tokens, all.position(), new int[] {3, 7, 10}, new int[] {5, 6, 7});
        DifferentiableModel model = new DifferentiableModel(layout);
        Map<String, float[]> gradients = new HashMap<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> arrays = model.arrays(manager, weights, true);
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                collector.backward(DifferentiableModel.loss(
                        model.forward(manager, arrays, batch).logits(), batch));
            }
            arrays.forEach(
                    (name, array) -> gradients.put(name, array.getGradient().toFloatArray()));
        }
        for (String name :
                List.of("embedding", "0.qkv", "0.sinks", "0.router", "1.gate", "1.up", "1.down", "1.out", "norm")) {
            ParameterLayout.Parameter parameter = layout.get(name);
            float[] gradient = Objects.requireNonNull(gradients.get(name));
            // Along the gradient itself the slope is its squared length.
            double squared = 0;
            for (float g : gradient) {
                squared += (double) g * g;
            }
            double step = 1e-3 / Math.sqrt(squared);
            double slope = (lossAt(model, weights, parameter, gradient, step, batch)
                            - lossAt(model, weights, parameter, gradient, -step, batch))
                    / (2 * step);
            assertThat(slope).as("%s, seed %d", name, seed).isCloseTo(squared, within(0.03 * squared));
        }
    }

    private static double lossAt(
            DifferentiableModel model,
            float[] weights,
            ParameterLayout.Parameter parameter,
            float[] direction,
            double step,
            Batch batch) {
        float[] moved = weights.clone();
        for (int i = 0; i < direction.length; i++) {
            moved[parameter.offset() + i] += (float) (step * direction[i]);
        }
        try (NDManager manager = NDManager.newBaseManager()) {
            return DifferentiableModel.loss(
                            model.forward(manager, model.arrays(manager, moved, false), batch)
                                    .logits(),
                            batch)
                    .getFloat();
        }
    }

    private static double relativeError(float[] expected, float[] actual) {
        double difference = 0;
        double length = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - (double) expected[i], 2);
            length += Math.pow(expected[i], 2);
        }
        return Math.sqrt(difference / length);
    }

    private static float[] logits(ParameterLayout layout, float[] weights, Batch batch) {
        DifferentiableModel model = new DifferentiableModel(layout);
        try (NDManager manager = NDManager.newBaseManager()) {
            return model.forward(manager, model.arrays(manager, weights, false), batch)
                    .logits()
                    .toFloatArray();
        }
    }

    private static int[] tokens(Path file) throws IOException {
        JsonObject json = (JsonObject) Json.parse(Files.readString(file));
        JsonArray tokens = (JsonArray) Objects.requireNonNull(json.get("tokens"));
        return tokens.elements().stream()
                .mapToInt(token -> Integer.parseInt(token.toString()))
                .toArray();
    }
}
