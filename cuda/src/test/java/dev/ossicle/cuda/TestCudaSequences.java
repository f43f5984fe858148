package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.ReferenceModelRunner;
import dev.ossicle.cpu.VectorModelRunner;
import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.NonFiniteException;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.Sampler;
import dev.ossicle.engine.Sampling;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What sequences, draws, memory and errors do around the forward pass. All experts are picked: there are no near ties. */
class TestCudaSequences {
    private static final ModelConfig CONFIG =
            new ModelConfig(3, 3, 3, 70, 64, 32, 64, 4, 2, 30, 1000, 150_000, 32, 128, 1, 32, 7, 1e-5);

    private Driver driver;

    @BeforeEach
    void look() {
        driver = PlayedGpu.driver();
    }

    @AfterEach
    void everythingIsFreed() {
        if (driver != null) {
            PlayedGpu.set(driver, "reset", 0);
            assertThat(PlayedGpu.get(driver, "used"))
                    .as("bytes of device memory")
                    .isZero();
            assertThat(PlayedGpu.get(driver, "pinned")).as("pinned allocations").isZero();
        }
    }

    private static CudaModelRunner open(RandomModel model, int passRows) {
        return TestCudaModelRunner.open(model.config, model.weights, passRows, 0);
    }

    static IntStream seeds() {
        return IntStream.range(0, 5);
    }

    /** A sequence beside the same one of the reference. */
    private record Twin(KvSequence cuda, KvSequence reference, List<Integer> tokens) {}

    /** Any order of prefills, decode steps, draws, forks, truncations and closings. */
    @ParameterizedTest
    @MethodSource("seeds")
    void doesWhatTheReferenceDoes(int seed) {
        Random random = new Random(seed);
        RandomModel model = new RandomModel(seed, CONFIG);
        Sampler sampler = new Sampler(CONFIG.vocabulary());
        try (CudaModelRunner cuda = open(model, 20 + random.nextInt(100));
                ReferenceModelRunner reference = new ReferenceModelRunner(CONFIG, model.weights)) {
            List<Twin> twins = new ArrayList<>();
            int[] next = new int[0];
            for (int step = 0; step < 40; step++) {
                if (twins.isEmpty() || random.nextInt(8) == 0) {
                    twins.add(new Twin(cuda.newSequence(1000), reference.newSequence(1000), new ArrayList<>()));
                }
                Twin any = twins.get(random.nextInt(twins.size()));
                switch (random.nextInt(12)) {
                    case 0 -> twins.add(new Twin(any.cuda.fork(), any.reference.fork(), new ArrayList<>(any.tokens)));
                    case 1 -> {
                        int shortest = any.cuda.truncatableTo();
                        int length = random.nextInt(4) == 0 ? 0 : random.nextInt(shortest, any.cuda.length() + 1);
                        any.cuda.truncate(length);
                        any.reference.truncate(length);
                    }
                    case 2 -> {
                        any.cuda.close();
                        any.reference.close();
                        twins.remove(any);
                    }
                    default -> {}
                }
                if (twins.isEmpty()) {
                    continue;
                }
                boolean decode = random.nextInt(3) > 0;
                boolean goOn = decode && random.nextInt(3) > 0; // the same members with what was drawn
                List<Twin> members = goOn ? twins.subList(0, Math.min(3, twins.size())) : some(twins, random);
                List<Chunk> batch = new ArrayList<>();
                List<Chunk> same = new ArrayList<>();
                for (int i = 0; i < members.size(); i++) {
                    int[] tokens = model.tokens(decode ? 1 : 1 + random.nextInt(50));
                    if (goOn && i < next.length) {
                        tokens[0] = next[i];
                    }
                    int wanted = goOn ? 1 : random.nextInt(tokens.length + 1);
                    batch.add(new Chunk(members.get(i).cuda, tokens, wanted));
                    same.add(new Chunk(members.get(i).reference, tokens, wanted));
                }
                String where = "seed " + seed + ", step " + step;
                List<float[]> want = new ArrayList<>();
                reference.forward(
                        same,
                        (chunk, position, logits) -> want.add(logits.values().clone()));
                if (goOn) {
                    int[] drawn = new int[members.size()];
                    cuda.forward(
                            batch,
                            (chunk, position, logits) ->
                                    logits.sample(sampler, Sampling.GREEDY, 0, null, token -> drawn[chunk] = token));
                    for (int i = 0; i < drawn.length; i++) {
                        float best = want.get(i)[sampler.sample(want.get(i), Sampling.GREEDY, 0, null)];
                        assertThat(want.get(i)[drawn[i]]).as(where).isCloseTo(best, within(0.1f));
                    }
                    next = drawn;
                } else {
                    List<float[]> got = new ArrayList<>();
                    cuda.forward(
                            batch,
                            (chunk, position, logits) -> got.add(logits.values().clone()));
                    assertClose(got, want, where);
                }
                for (Twin twin : twins) {
                    assertThat(twin.cuda.length()).as(where).isEqualTo(twin.reference.length());
                }
            }
            twins.forEach(each -> each.cuda.close());
            assertThat(cuda.cacheBytes()).isZero();
        }
    }

    private static org.assertj.core.data.Offset<Float> within(float distance) {
        return org.assertj.core.data.Offset.offset(distance);
    }

    private static List<Twin> some(List<Twin> from, Random random) {
        List<Twin> members = new ArrayList<>(from);
        java.util.Collections.shuffle(members, random);
        return members.subList(0, 1 + random.nextInt(members.size()));
    }

    private static void assertClose(List<float[]> got, List<float[]> want, String where) {
        assertThat(got).as(where).hasSameSizeAs(want);
        double difference = 0;
        double length = 0;
        for (int row = 0; row < got.size(); row++) {
            for (int i = 0; i < CONFIG.vocabulary(); i++) {
                double d = (double) got.get(row)[i] - want.get(row)[i];
                difference += d * d;
                length += (double) want.get(row)[i] * want.get(row)[i];
            }
        }
        if (!got.isEmpty()) {
            assertThat(Math.sqrt(difference / length)).as(where).isLessThan(3e-2);
        }
    }

    /** Token by token, with and without masks: on the device, one step ahead, and on the host from the values. */
    @ParameterizedTest
    @CsvSource({"0, 1, 0, 0", "1, 1, 0, 0", "1, 0.9, 0, 0", "0.7, 1, 5, 0", "2, 0.8, 40, 0.05"})
    void drawsWhatTheHostDraws(double temperature, double topP, int topK, double minP) {
        RandomModel model = new RandomModel(7, CONFIG);
        Sampler sampler = new Sampler(CONFIG.vocabulary());
        Sampling sampling = new Sampling(temperature, topP, topK, minP, 42);
        BitMask odd = new BitMask(CONFIG.vocabulary());
        for (int id = 1; id < CONFIG.vocabulary(); id += 2) {
            odd.set(id);
        }
        for (int rows : new int[] {1, 5, 11}) {
            try (CudaModelRunner runner = open(model, 64)) {
                List<KvSequence> device = new ArrayList<>();
                List<KvSequence> host = new ArrayList<>();
                for (int i = 0; i < rows; i++) {
                    device.add(runner.newSequence(100));
                    host.add(runner.newSequence(100));
                }
                int[][] next = new int[rows][];
                Arrays.setAll(next, i -> model.tokens(3 + i));
                for (int step = 0; step < 9; step++) {
                    int index = step;
                    BitMask mask = step % 4 == 3 ? odd : null;
                    int[] drawn = new int[rows];
                    int[] want = new int[rows];
                    runner.forward(
                            batch(host, next),
                            (chunk, position, logits) ->
                                    want[chunk] = sampler.sample(logits.values(), sampling, index, mask));
                    runner.forward(
                            batch(device, next),
                            (chunk, position, logits) ->
                                    logits.sample(sampler, sampling, index, mask, token -> drawn[chunk] = token));
                    assertThat(drawn)
                            .as("%s, %d rows, step %d", sampling, rows, step)
                            .isEqualTo(want);
                    Arrays.setAll(next, i -> new int[] {want[i]});
                }
            }
        }
    }

    private static List<Chunk> batch(List<KvSequence> sequences, int[][] tokens) {
        return IntStream.range(0, sequences.size())
                .mapToObj(i -> new Chunk(sequences.get(i), tokens[i], 1))
                .toList();
    }

    @Test
    void theNextStepIsComputedAheadAndThrownAwayWhereItIsNotWanted() {
        RandomModel model = new RandomModel(3, CONFIG);
        Sampler sampler = new Sampler(CONFIG.vocabulary());
        try (CudaModelRunner runner = open(model, 64);
                KvSequence sequence = runner.newSequence(200)) {
            int[] drawn = {5};
            for (int i = 0; i < 70; i++) { // over a page's end
                runner.forward(
                        List.of(new Chunk(sequence, drawn.clone(), 1)),
                        (chunk, position, logits) ->
                                logits.sample(sampler, Sampling.GREEDY, 0, null, token -> drawn[0] = token));
            }
            runner.forward(List.of(), (chunk, position, logits) -> {}); // forgets what is ahead
            long before = PlayedGpu.get(driver, "launches");
            float[][] seen = new float[2][];
            forward(runner, sequence, drawn[0], seen, 0);
            long one = PlayedGpu.get(driver, "launches") - before;
            sequence.truncate(sequence.length() - 1);
            // Drawn: the next is ahead. Another token than that is asked for.
            runner.forward(
                    List.of(new Chunk(sequence, new int[] {drawn[0]}, 1)),
                    (chunk, position, logits) -> logits.sample(sampler, Sampling.GREEDY, 0, null, token -> {}));
            sequence.truncate(sequence.length() - 1);
            forward(runner, sequence, drawn[0], seen, 1);
            assertThat(seen[1]).isEqualTo(seen[0]);
            // And where it is asked for, nothing but the draw is left to do.
            runner.forward(
                    List.of(new Chunk(sequence, new int[] {9}, 1)),
                    (chunk, position, logits) ->
                            logits.sample(sampler, Sampling.GREEDY, 0, null, token -> drawn[0] = token));
            runner.device().synchronize();
            before = PlayedGpu.get(driver, "launches");
            forward(runner, sequence, drawn[0], seen, 0);
            assertThat(PlayedGpu.get(driver, "launches") - before).isZero().isLessThan(one);
        }
    }

    private static void forward(CudaModelRunner runner, KvSequence sequence, int token, float[][] into, int at) {
        runner.forward(
                List.of(new Chunk(sequence, new int[] {token}, 1)),
                (chunk, position, logits) -> into[at] = logits.values().clone());
    }

    @Test
    void withoutMemoryNothingIsComputedAndNothingChanges() {
        RandomModel model = new RandomModel(4, CONFIG);
        MemoryPlan plan = MemoryPlan.of(CONFIG, DeviceOptions.of(1, Precision.FAST), 64);
        PlayedGpu.set(driver, "memory", plan.bytes() + 10 * KvPages.pageBytes(CONFIG));
        try (CudaModelRunner runner = open(model, 64)) {
            List<KvSequence> sequences = new ArrayList<>();
            assertThatThrownBy(() -> {
                        while (true) {
                            KvSequence sequence = runner.newSequence(500);
                            sequences.add(sequence);
                            runner.forward(List.of(new Chunk(sequence, model.tokens(200), 0)), (c, p, l) -> {});
                        }
                    })
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("memory for keys and values is full");
            assertThat(sequences).hasSizeGreaterThan(3);
            assertThat(sequences.getLast().length()).isZero();
            long bytes = runner.cacheBytes();
            sequences.removeFirst().close();
            assertThat(runner.cacheBytes()).isLessThan(bytes);
            runner.forward(List.of(new Chunk(sequences.getLast(), model.tokens(100), 1)), (c, p, l) -> {
                assertThat(l.values()).hasSize(CONFIG.vocabulary());
            });
        }
    }

    @Test
    void aModelThatDoesNotFitIsRefused() {
        RandomModel model = new RandomModel(4, CONFIG);
        MemoryPlan plan = MemoryPlan.of(CONFIG, DeviceOptions.of(1, Precision.FAST), 64);
        PlayedGpu.set(driver, "memory", plan.bytes() - 1);
        assertThatThrownBy(() -> open(model, 64).close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("GB are free")
                .hasMessageContaining("--n-cpu-moe");
    }

    /** Several generations at once, in memory for all or for few of them, with prefixes that are used again. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void servesAnEngine(boolean shortOfMemory) throws Exception {
        RandomModel model = new RandomModel(5, CONFIG);
        int[] prompt = model.tokens(150);
        Sampling sampling = Sampling.DEFAULT.withSeed(5);
        List<List<Integer>> want = new ArrayList<>();
        try (Engine engine = new Engine(new ReferenceModelRunner(CONFIG, model.weights))) {
            for (int i = 0; i < 4; i++) {
                want.add(tokens(engine.start(request(prompt, i, sampling))));
            }
        }
        if (shortOfMemory) {
            MemoryPlan plan = MemoryPlan.of(CONFIG, DeviceOptions.of(1, Precision.FAST), 64);
            PlayedGpu.set(driver, "memory", plan.bytes());
        }
        EngineOptions limits = new EngineOptions(3, 64, shortOfMemory ? 1 << 18 : 1 << 30);
        try (Engine engine = new Engine(open(model, 64), limits)) {
            assertSameBegin(tokens(engine.start(request(prompt, 0, sampling))), want.getFirst());
            List<Generation> together = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                together.add(engine.start(request(prompt, i, sampling)));
            }
            for (int i = 0; i < 4; i++) {
                assertSameBegin(tokens(together.get(i)), want.get(i));
            }
        }
    }

    /** Sooner or later a draw is so near to a boundary that rounding decides. */
    private static void assertSameBegin(List<Integer> got, List<Integer> want) {
        assertThat(got).hasSize(30).startsWith(want.subList(0, 15).toArray(Integer[]::new));
    }

    private static GenerationRequest request(int[] prompt, int last, Sampling sampling) {
        int[] tokens = Arrays.copyOf(prompt, prompt.length + 1);
        tokens[prompt.length] = last;
        return new GenerationRequest(tokens, sampling, 30, Set.of());
    }

    private static List<Integer> tokens(Generation generation) throws InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        for (GenerationEvent event = generation.next(); event != null; event = generation.next()) {
            if (event instanceof GenerationEvent.Token token) {
                tokens.add(token.id());
            }
        }
        return tokens;
    }

    @ParameterizedTest
    @CsvSource({
        "the embedding, 1",
        "the embedding, 3",
        "the attention of layer 1, 1",
        "the attention of layer 1, 3",
        "the experts of layer 0, 1",
        "the experts of layer 2, 3",
        "the unembedding, 1",
        "the unembedding, 3"
    })
    void brokenWeightsAreNamed(String what, int count) {
        RandomModel model = new RandomModel(6, CONFIG);
        int[] tokens = model.tokens(count);
        switch (what) {
            case "the embedding" -> spoil((BF16Matrix) model.weights.embedding(), tokens[count - 1]);
            case "the unembedding" -> spoil((BF16Matrix) model.weights.unembedding(), 9);
            case "the attention of layer 1" -> model.weights.layers().get(1).outBias()[5] = Float.POSITIVE_INFINITY;
            default -> {
                LayerWeights layer = model.weights.layers().get(what.charAt(what.length() - 1) - '0');
                spoil((BF16Matrix) layer.downBias(), 1);
            }
        }
        Sampler sampler = new Sampler(CONFIG.vocabulary());
        for (boolean draw : new boolean[] {false, true}) {
            try (CudaModelRunner runner = open(model, 64)) {
                KvSequence sequence = runner.newSequence(10);
                assertThatThrownBy(() ->
                                runner.forward(List.of(new Chunk(sequence, tokens, 1)), (chunk, position, logits) -> {
                                    if (draw) {
                                        logits.sample(sampler, Sampling.DEFAULT, 0, null, token -> {});
                                    } else {
                                        logits.values();
                                    }
                                }))
                        .as("draws: %s", draw)
                        .isInstanceOf(NonFiniteException.class)
                        .hasMessageContaining(what + " gave numbers that are not finite");
            }
        }
    }

    private static void spoil(BF16Matrix matrix, int row) {
        long at = matrix.offset() + row * matrix.rowStride() + 3 * matrix.columnStride();
        matrix.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) 0x7f80); // infinity
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void expertsMayStayInHostMemory(int layers) {
        RandomModel model = new RandomModel(8, CONFIG);
        int[] tokens = model.tokens(100);
        DeviceOptions options = new DeviceOptions(2, Precision.FAST, 16, layers, 0);
        try (ReferenceModelRunner reference = new ReferenceModelRunner(CONFIG, model.weights);
                CudaModelRunner runner = new CudaModelRunner(
                        Device.open(driver, 0),
                        Path.of("random"),
                        CONFIG,
                        model.weights,
                        options,
                        MemoryPlan.of(CONFIG, options, 64),
                        new VectorModelRunner(CONFIG, model.weights, 2),
                        (done, all) -> {})) {
            KvSequence want = reference.newSequence(200);
            KvSequence got = runner.newSequence(200);
            List<float[]> wanted = new ArrayList<>();
            List<float[]> gotten = new ArrayList<>();
            reference.forward(
                    List.of(new Chunk(want, tokens, 100)),
                    (c, p, l) -> wanted.add(l.values().clone()));
            runner.forward(
                    List.of(new Chunk(got, tokens, 100)),
                    (c, p, l) -> gotten.add(l.values().clone()));
            for (int i = 0; i < 5; i++) {
                reference.forward(
                        List.of(new Chunk(want, new int[] {i}, 1)),
                        (c, p, l) -> wanted.add(l.values().clone()));
                runner.forward(
                        List.of(new Chunk(got, new int[] {i}, 1)),
                        (c, p, l) -> gotten.add(l.values().clone()));
            }
            assertClose(gotten, wanted, layers + " layers");
            assertThat(runner.description()).contains("experts of " + layers + " layers by the processor");
        }
    }

    @Test
    void sequencesSurviveInAFile() throws IOException {
        RandomModel model = new RandomModel(10, CONFIG);
        int[] next = model.tokens(1);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        List<float[]> want = new ArrayList<>();
        try (CudaModelRunner runner = open(model, 64)) {
            KvSequence first = runner.newSequence(1000);
            runner.forward(List.of(new Chunk(first, model.tokens(230), 0)), (c, p, l) -> {});
            KvSequence second = first.fork();
            runner.forward(List.of(new Chunk(second, model.tokens(70), 0)), (c, p, l) -> {});
            runner.write(List.of(first, second, runner.newSequence(5)), new DataOutputStream(file));
            runner.forward(batch(List.of(first, second), new int[][] {next, next}), (c, p, l) -> want.add(l.values()));
        }
        assertThat(file.size()).isLessThan(2 * 300 * 3 * 2 * 2 * 64 * 2 * 2); // shared pages are there once
        try (CudaModelRunner runner = open(model, 64)) {
            List<KvSequence> read = runner.read(new DataInputStream(new ByteArrayInputStream(file.toByteArray())));
            assertThat(read).extracting(KvSequence::length).containsExactly(230, 300, 0);
            List<float[]> got = new ArrayList<>();
            runner.forward(batch(read.subList(0, 2), new int[][] {next, next}), (c, p, l) -> got.add(l.values()));
            assertThat(got).hasSize(2);
            for (int i = 0; i < 2; i++) {
                assertThat(got.get(i)).isEqualTo(want.get(i));
            }
            read.forEach(KvSequence::close);
            assertThat(runner.cacheBytes()).isZero();
            for (int cut = 1; cut < file.size(); cut += 1 + file.size() / 40) {
                DataInputStream part = new DataInputStream(new ByteArrayInputStream(file.toByteArray(), 0, cut));
                assertThatThrownBy(() -> runner.read(part)).isInstanceOf(IOException.class);
                assertThat(runner.cacheBytes()).isZero();
            }
        }
    }

    @Test
    void whatIsClosedStaysClosed() {
        CudaModelRunner runner = open(new RandomModel(9, CONFIG), 64);
        KvSequence sequence = runner.newSequence(10);
        runner.forward(List.of(new Chunk(sequence, new int[] {1}, 0)), (c, p, l) -> {});
        runner.close();
        runner.close();
        sequence.close();
        assertThatThrownBy(sequence::length).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> runner.newSequence(5)).isInstanceOf(IllegalStateException.class);
    }
}
