package dev.ossicle.cpu;

import static java.util.Objects.requireNonNull;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.KvBlocks.Block;
import dev.ossicle.engine.Batches;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.HostExperts;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.Logits;
import dev.ossicle.engine.LogitsConsumer;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.NonFiniteException;
import dev.ossicle.engine.Precision;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass with the Vector API on several threads: float32 activations and cache, weights straight from the
 * checkpoint's mapping in their own formats. {@link Precision#FAST} copies MXFP4 experts into {@link Strips} instead, and
 * rounds what goes into them to 8 bits or some more.
 *
 * <p>{@link #compute} is the pass in the order of the papers. Each of its stages is cut into tasks that write apart, and a
 * row's result never depends on how.
 */
public final class VectorModelRunner implements ModelRunner, HostExperts {
    /** Rows that go through the model together: enough to make expanding the weights cheap. */
    private static final int PASS_ROWS = 512;

    /** Positions that windowed layers keep beyond the window, at least. */
    private static final int MIN_SLACK = 128;

    /** Rows of a task in stages that work row by row. */
    private static final int ROWS_PER_TASK = 8;

    /** Strips that a task multiplies in a row: neighbours in memory, which the next one's first block is fetched ahead for. */
    private static final int STRIPS_PER_TASK = 8;

    /** Copying as many bytes of weights takes longer than measuring the vector width does. */
    private static final long WORTH_MEASURING = 1_000_000_000;

    /** Rows of the router that are a task: it has 32 or 128 in all, for as many threads as there are. */
    private static final int ROUTER_ROWS = 8;

    /** Rows whose logits are computed together. */
    private static final int LOGIT_ROWS = 16;

    private static final ValueLayout.OfFloat LITTLE_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Memory of one thread; [T, BLOCK] results of a block of weights. */
    private static final class Scratch {
        final RowMultiplier multiplier = new RowMultiplier();
        final StripMultiplier stripMultiplier = new StripMultiplier();
        final DenseStripMultiplier denseStripMultiplier = new DenseStripMultiplier();
        final Attention attention;
        /** Biases of one task, as many as down projections have. They are read before the weights, so that both are waited for together. */
        final float[] biasA = new float[2 * STRIPS_PER_TASK * RowMultiplier.BLOCK + Lanes.APART];

        final float[] biasB = new float[2 * STRIPS_PER_TASK * RowMultiplier.BLOCK + Lanes.APART];
        final int[] rounded = new int[RowMultiplier.BLOCK + Lanes.APART];
        final float[] lanes = new float[Lanes.WIDTH + Lanes.APART];
        float[] a = new float[0];
        float[] b = new float[0];
        float[] activated = new float[0];

        Scratch(ModelConfig config, int cacheBits) {
            attention = new Attention(config, cacheBits);
        }

        /**
         * Blocks of rows times vectors of activations; the result is in {@link #a}, [blocks, vectors, BLOCK].
         *
         * @param blocks one, if there are no strips
         */
        void multiply(
                Matrix matrix,
                @Nullable Strips strips,
                int firstBlock,
                int blocks,
                float[] x,
                int[] xAt,
                int from,
                int vectors,
                PackedRows packed) {
            if (strips == null) {
                int first = firstBlock * RowMultiplier.BLOCK;
                int count = Math.min(RowMultiplier.BLOCK, matrix.rows() - first);
                multiplier.multiply(matrix, first, count, x, xAt, from, vectors, a);
            } else {
                denseStripMultiplier.multiply(strips, firstBlock, blocks, x, xAt, from, vectors, packed, a);
            }
        }

        void reserve(int rows) {
            int length = STRIPS_PER_TASK * rows * RowMultiplier.BLOCK + Lanes.APART;
            if (a.length < length) {
                a = new float[length];
                b = new float[length];
                activated = new float[length];
            }
        }
    }

    private final ModelConfig config;
    private final Precision precision;
    private final int cacheBits;
    private final ModelWeights weights;
    private final Team team;
    private final Scratch[] scratch;
    private final Pass pass;
    private final int passRows;
    private final Routing routing;
    /** [L]. */
    private final Relayed[] strips;

    private final @Nullable Strips unembedding;

    /** [L][4] beside query, key, value and out; null where there are none. */
    private final @Nullable LowRankTerm[][] terms;
    /** [4][T, r] what goes into the terms' second factor. */
    private final float[][] reduced = new float[4][0];

    private final PackedRows packed = new PackedRows();
    private final RoundedSlots roundedNormed;
    private final RoundedSlots roundedInner;
    private final Arena arena = Arena.ofShared();
    private final boolean isPacked;
    private final List<VectorKvSequence> sequences = new ArrayList<>();
    private final KvBlocks kvBlocks;
    private boolean closed;

    // What the stages of the moment work on.
    private int layerIndex;
    private LayerWeights layer;
    private float[] gain;
    private int normRows;
    private int firstLogit;
    private int logitRows;
    /** [logitRows, V]. */
    private float[][] logitBuffer = new float[0][];

    private Logits[] handedOut = new Logits[0];

    // One object for each stage, so that running one allocates nothing.
    private final Team.Stage embed = this::embed;
    private final Team.Stage norm = this::norm;
    private final Team.Stage reduceNormed = this::reduceNormed;
    private final Team.Stage reduceAttended = this::reduceAttended;
    private final Team.Stage project = this::project;
    private final Team.Stage packRows = this::packRows;
    private final Team.Stage rotate = this::rotate;
    private final Team.Stage attend = this::attend;
    private final Team.Stage mergeSpans = this::mergeSpans;
    private final Team.Stage addAttention = this::addAttention;
    private final Team.Stage router = this::router;
    private final Team.Stage gateUp = this::gateUp;
    private final Team.Stage down = this::down;
    private final Team.Stage round = this::round;
    private final Team.Stage addExperts = this::addExperts;
    private final Team.Stage unembed = this::unembed;

    /** @param threads that compute, the caller's included */
    public VectorModelRunner(ModelConfig config, ModelWeights weights, int threads) {
        this(config, weights, threads, Precision.EXACT);
    }

    /** @param threads that compute, the caller's included */
    public VectorModelRunner(ModelConfig config, ModelWeights weights, int threads, Precision precision) {
        this(config, weights, threads, precision, PASS_ROWS);
    }

    /**
     * A checkpoint, with the {@link Pack} beside it if there is one and the precision has a use for it. For fast precision of a
     * model that is not small and has no pack, the vector width is measured before.
     *
     * @param progress told of the weights that are copied, if any are
     * @throws dev.ossicle.checkpoint.CheckpointException if the pack cannot be used
     */
    public static VectorModelRunner of(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        // A pack opens at once, and must not wait for C2.
        if (options.precision() == Precision.FAST
                && checkpoint.bytes() >= WORTH_MEASURING
                && !Files.exists(Pack.beside(checkpoint))) {
            VectorWidth.measure();
        }
        return new VectorModelRunner(
                checkpoint.config(), checkpoint.weights(), options, PASS_ROWS, checkpoint, progress);
    }

    VectorModelRunner(ModelConfig config, ModelWeights weights, int threads, int passRows) {
        this(config, weights, threads, Precision.EXACT, passRows);
    }

    VectorModelRunner(ModelConfig config, ModelWeights weights, int threads, Precision precision, int passRows) {
        this(config, weights, DeviceOptions.of(threads, precision), passRows);
    }

    VectorModelRunner(ModelConfig config, ModelWeights weights, DeviceOptions options, int passRows) {
        this(config, weights, options, passRows, null, LoadProgress.NONE);
    }

    private VectorModelRunner(
            ModelConfig config,
            ModelWeights weights,
            DeviceOptions options,
            int passRows,
            @Nullable Checkpoint withPack,
            LoadProgress progress) {
        int threads = options.threads();
        if (threads < 1 || threads > 1024) {
            throw new IllegalArgumentException("threads are " + threads + ", must be between 1 and 1024");
        }
        this.config = requireNonNull(config, "config is null");
        this.precision = requireNonNull(options.precision(), "precision is null");
        this.cacheBits = options.cacheBits();
        this.weights = LowRankTerm.base(requireNonNull(weights, "weights are null"));
        this.terms = weights.layers().stream().map(LowRankTerm::of).toArray(LowRankTerm[][]::new);
        this.passRows = Pass.maxRows(config, passRows);
        this.pass = new Pass(config);
        this.routing = new Routing(config.experts(), config.expertsPerToken());
        this.layer = this.weights.layers().getFirst();
        this.gain = weights.norm();
        this.scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch(config, cacheBits));
        this.kvBlocks = new KvBlocks(VectorKvSequence.blockBytes(config, cacheBits));
        this.team = new Team(threads);
        this.strips = new Relayed[config.layers()];
        Arrays.fill(strips, Relayed.NOTHING);
        this.roundedNormed = new RoundedSlots(config.hidden());
        this.roundedInner = new RoundedSlots(config.intermediate());
        boolean done = false;
        try {
            StripMemory packed = withPack == null || precision != Precision.FAST ? null : Pack.map(withPack, arena);
            isPacked = packed != null;
            unembedding = precision == Precision.FAST ? relay(packed, progress) : null;
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    /** Fills the strips, or finds them in a pack; returns those of the unembedding. */
    private @Nullable Strips relay(@Nullable StripMemory packed, LoadProgress progress) {
        long all = packed == null ? Relayed.bytes(weights) : 0;
        StripMemory memory = packed == null ? StripMemory.anonymous(arena, all) : packed;
        LoadProgress heard = all == 0 ? LoadProgress.NONE : progress;
        long done = 0;
        for (int i = 0; i < strips.length; i++) {
            LayerWeights each = weights.layers().get(i);
            strips[i] = Relayed.of(each, team, memory);
            done += Relayed.bytes(each);
            heard.bytes(done, all);
        }
        Strips last = Relayed.of(weights.unembedding(), team, memory);
        heard.bytes(all, all);
        return last;
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public String description() {
        int threads = team.threads();
        boolean rounds = Arrays.stream(strips).anyMatch(each -> each.experts() != null);
        return "CPU, " + vectors() + (threads == 1 ? ", 1 thread" : ", " + threads + " threads")
                + (isPacked ? ", weights packed" : "")
                + (rounds ? ", rounded activations in the experts" : "")
                + (Arrays.stream(terms).anyMatch(LowRankTerm::any) ? ", LoRA adapter" : "");
    }

    /** What this machine computes with. */
    static String vectors() {
        String vectors = "Vector API, " + VectorWidth.description();
        return StripMultiplier.IN_PAIRS || !Lanes.MANY_REGISTERS
                ? vectors
                : vectors + " (faster if java is given " + InliningLimit.ADVICE + ")";
    }

    @Override
    public VectorKvSequence newSequence(int maxContext) {
        checkOpen();
        Batches.checkContext(config, maxContext);
        VectorKvSequence sequence = new VectorKvSequence(this, maxContext, Math.max(passRows, MIN_SLACK));
        sequences.add(sequence);
        return sequence;
    }

    /**
     * Appends random keys and values as if so many tokens had been computed: to measure decoding at a depth that would take
     * long to reach.
     *
     * @throws IllegalArgumentException if the sequence is not of this runner or would pass its maximum context
     */
    public void appendRandom(KvSequence sequence, int positions, long seed) {
        checkOpen();
        if (!(sequence instanceof VectorKvSequence kv) || !kv.isOf(this)) {
            throw new IllegalArgumentException("the sequence is not of this runner");
        }
        if (positions < 0 || positions > kv.maxContext() - kv.length()) {
            throw new IllegalArgumentException(kv.length() + " cached and " + positions
                    + " new positions do not fit into a context of " + kv.maxContext());
        }
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[2 * config.kvWidth()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        float[] keys = new float[config.kvWidth()];
        for (int done = 0; done < positions; done += MIN_SLACK) {
            int count = Math.min(MIN_SLACK, positions - done);
            kv.reserve(kv.length() + count);
            for (int layer = 0; layer < config.layers(); layer++) {
                for (int i = 0; i < count; i++) {
                    System.arraycopy(values, random.nextInt(config.kvWidth()), keys, 0, keys.length);
                    kv.store(layer, kv.length() + i, keys, keys, 0);
                }
            }
            kv.advance(count);
        }
    }

    /** Bytes of weights that a decoded token reads, as they lie in memory. */
    public long bytesPerToken() {
        long bytes = bytes(weights.unembedding(), unembedding);
        for (int i = 0; i < config.layers(); i++) {
            LayerWeights w = weights.layers().get(i);
            Relayed relayed = strips[i];
            ExpertWeights expert = w.experts().getFirst();
            boolean relaid = relayed.experts() != null;
            bytes += bytes(w.query(), relayed.query())
                    + bytes(w.key(), relayed.key())
                    + bytes(w.value(), relayed.value())
                    + bytes(w.out(), relayed.out())
                    + w.router().bytes()
                    + config.expertsPerToken()
                            * (relaid
                                    ? relayed.gateUp(0).bytes()
                                            + relayed.down(0).bytes()
                                    : expert.gate().bytes()
                                            + expert.up().bytes()
                                            + expert.down().bytes());
        }
        return bytes;
    }

    private static long bytes(Matrix matrix, @Nullable Strips strips) {
        return strips == null ? matrix.bytes() : strips.bytes();
    }

    /** Of a key or value in the cache: 32, 16 or 8. */
    int cacheBits() {
        return cacheBits;
    }

    KvBlocks kvBlocks() {
        return kvBlocks;
    }

    @Override
    public long cacheBytes() {
        return kvBlocks.bytes();
    }

    @Override
    public void write(List<KvSequence> sequencesToWrite, DataOutputStream out) throws IOException {
        checkOpen();
        Map<Block, Integer> numbers = new LinkedHashMap<>();
        ByteArrayOutputStream tables = new ByteArrayOutputStream(); // some kilobytes: numbers of blocks
        DataOutputStream table = new DataOutputStream(tables);
        for (KvSequence each : sequencesToWrite) {
            ((VectorKvSequence) each).write(table, block -> numbers.computeIfAbsent(block, b -> numbers.size()));
        }
        try (VectorKvSequence any = newSequence(config.maxContext())) {
            out.writeUTF(any.shape());
        }
        out.writeInt(numbers.size());
        byte[] buffer = new byte[(int) kvBlocks.blockBytes()];
        for (Block block : numbers.keySet()) {
            MemorySegment.copy(block.data, ValueLayout.JAVA_BYTE, 0, buffer, 0, buffer.length);
            out.write(buffer);
        }
        out.writeInt(sequencesToWrite.size());
        tables.writeTo(out);
    }

    @Override
    public List<KvSequence> read(DataInputStream in) throws IOException {
        checkOpen();
        List<Block> blocks = new ArrayList<>();
        List<KvSequence> restored = new ArrayList<>();
        boolean complete = false;
        try (VectorKvSequence any = newSequence(config.maxContext())) {
            String shape = in.readUTF();
            if (!shape.equals(any.shape())) {
                throw new IOException("it holds " + shape + ", this runner " + any.shape());
            }
            int count = in.readInt();
            byte[] buffer = new byte[(int) kvBlocks.blockBytes()];
            for (int i = 0; i < count; i++) {
                in.readFully(buffer);
                Block block = kvBlocks.take();
                blocks.add(block);
                MemorySegment.copy(buffer, 0, block.data, ValueLayout.JAVA_BYTE, 0, buffer.length);
            }
            int sequenceCount = in.readInt();
            for (int i = 0; i < sequenceCount; i++) {
                VectorKvSequence sequence = newSequence(config.maxContext());
                restored.add(sequence);
                sequence.read(in, number -> blocks.get(number));
            }
            complete = true;
            return restored;
        } catch (IndexOutOfBoundsException e) {
            throw new IOException("it names a block that it does not have", e);
        } finally {
            blocks.forEach(kvBlocks::release); // the sequences have their own shares
            if (!complete) {
                restored.forEach(KvSequence::close);
            }
        }
    }

    void forget(VectorKvSequence sequence) {
        sequences.remove(sequence);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            team.close();
            List.copyOf(sequences).forEach(VectorKvSequence::close);
            kvBlocks.close();
            arena.close();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the runner is closed");
        }
    }

    @Override
    public void forward(List<Chunk> batch, LogitsConsumer logits) {
        checkOpen();
        for (int i = 0; i < batch.size(); i++) {
            if (!(batch.get(i).sequence() instanceof VectorKvSequence sequence) || !sequence.isOf(this)) {
                throw new IllegalArgumentException("the sequence of chunk " + i + " is not of this runner");
            }
        }
        Batches.check(config, batch);

        int index = 0;
        int done = 0;
        while (index < batch.size()) {
            pass.clear();
            while (index < batch.size() && pass.rows < passRows) {
                Chunk chunk = batch.get(index);
                int count = Math.min(chunk.tokens().length - done, passRows - pass.rows);
                pass.add(index, chunk, done, count);
                done += count;
                if (done == chunk.tokens().length) {
                    index++;
                    done = 0;
                }
            }
            compute(logits);
        }
        pass.clear();
    }

    private void compute(LogitsConsumer logits) {
        int rows = pass.rows;
        int rowTasks = (rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
        for (Scratch each : scratch) {
            each.reserve(rows);
        }

        team.run(rowTasks, embed);
        normRows = rows;
        for (layerIndex = 0; layerIndex < config.layers(); layerIndex++) {
            layer = weights.layers().get(layerIndex);

            gain = layer.attentionNorm();
            team.run(rowTasks, norm);
            checkFinite(false);
            boolean adapted = LowRankTerm.any(terms[layerIndex]);
            if (adapted) {
                reserveReduced(rows);
                team.run(rowTasks, reduceNormed);
            }
            pack(pass.t, pass.normedAt, 0, rows, config.hidden());
            team.run(tasks(config.queryWidth()) + 2 * tasks(config.kvWidth()), project);
            team.run(rowTasks, rotate);
            team.run(pass.planAttention(config.isWindowed(layerIndex), team.threads()), attend);
            if (pass.anySpans) {
                team.run(pass.segments * config.kvHeads(), mergeSpans);
            }
            if (adapted) {
                team.run(rowTasks, reduceAttended);
            }
            pack(pass.attended, pass.attendedAt, 0, rows, config.queryWidth());
            team.run(tasks(config.hidden()), addAttention);

            experts(rows, rowTasks);
        }
        for (int segment = 0; segment < pass.segments; segment++) {
            pass.sequence[segment].advance(pass.segmentRows[segment]);
        }
        gatherWanted();
        gain = weights.norm();
        normRows = pass.wanted;
        team.run((pass.wanted + ROWS_PER_TASK - 1) / ROWS_PER_TASK, norm);
        checkFinite(false);
        emit(logits);
    }

    /** The second half of the layer at hand. */
    private void experts(int rows, int rowTasks) {
        gain = layer.mlpNorm();
        team.run(rowTasks, norm);
        checkFinite(true);
        team.run((config.experts() + ROUTER_ROWS - 1) / ROUTER_ROWS, router);
        route(rows);
        if (strips[layerIndex].experts() != null) {
            int slots = rows * config.expertsPerToken();
            roundedNormed.grow(slots);
            roundedInner.grow(slots);
            team.run(routing.activeCount(), round);
        }
        team.run(routing.activeCount() * tasks(config.intermediate()), gateUp);
        team.run(routing.activeCount() * downTasks(), down);
        team.run(rowTasks, addExperts);
    }

    @Override
    public void addExperts(int ofLayer, float[] x, int rows) {
        checkOpen();
        layerIndex = ofLayer;
        layer = weights.layers().get(ofLayer);
        for (int first = 0; first < rows; first += passRows) {
            int count = Math.min(passRows, rows - first);
            int at = first * config.hidden();
            pass.clear();
            pass.addRows(x, at, count);
            normRows = count;
            for (Scratch each : scratch) {
                each.reserve(count);
            }
            experts(count, (count + ROWS_PER_TASK - 1) / ROWS_PER_TASK);
            System.arraycopy(pass.x, 0, x, at, count * config.hidden());
        }
        pass.clear();
    }

    /** How many tasks so many rows of weights make. */
    private static int tasks(int rows) {
        return (RowMultiplier.blocks(rows) + STRIPS_PER_TASK - 1) / STRIPS_PER_TASK;
    }

    /** Tasks of an expert's down projection, whose strips have two blocks. */
    private int downTasks() {
        return (tasks(config.hidden()) + 1) / 2;
    }

    /**
     * The first block of a task, or the end of the one before: all about as large, so that threads end together. An even number, since
     * strips are multiplied in pairs.
     */
    private static int begin(int task, int rows) {
        int blocks = RowMultiplier.blocks(rows);
        return Math.min(blocks, 2 * (int) ((long) task * ((blocks + 1) / 2) / tasks(rows)));
    }

    private void embed(int task, int thread) {
        int end = Math.min((task + 1) * ROWS_PER_TASK, pass.rows);
        for (int row = task * ROWS_PER_TASK; row < end; row++) {
            MatrixKernels.expand(weights.embedding(), pass.token[row], pass.x, row * config.hidden());
        }
    }

    private void norm(int task, int thread) {
        int end = Math.min((task + 1) * ROWS_PER_TASK, normRows);
        for (int row = task * ROWS_PER_TASK; row < end; row++) {
            int at = row * config.hidden();
            pass.squares[row] = Elementwise.rmsNorm(pass.x, at, gain, config.rmsEpsilon(), pass.t, at);
        }
    }

    /** Packs what is multiplied with strips of Q8_0 next. */
    private void pack(float[] x, int[] xAt, int from, int rows, int columns) {
        if (precision == Precision.FAST) {
            team.run(packed.begin(x, xAt, from, rows, columns), packRows);
        }
    }

    private void packRows(int task, int thread) {
        packed.pack(task);
    }

    private void reserveReduced(int rows) {
        for (int i = 0; i < reduced.length; i++) {
            LowRankTerm term = terms[layerIndex][i];
            if (term != null && reduced[i].length < rows * term.rank()) {
                reduced[i] = new float[rows * term.rank()];
            }
        }
    }

    /** The first factors of the adapter beside queries, keys and values. */
    private void reduceNormed(int task, int thread) {
        for (int i = 0; i < 3; i++) {
            reduce(i, pass.t, pass.normedAt, task, thread);
        }
    }

    /** The same beside the attention's output. */
    private void reduceAttended(int task, int thread) {
        reduce(3, pass.attended, pass.attendedAt, task, thread);
    }

    private void reduce(int which, float[] x, int[] xAt, int task, int thread) {
        LowRankTerm term = terms[layerIndex][which];
        int end = Math.min((task + 1) * ROWS_PER_TASK, pass.rows);
        for (int row = task * ROWS_PER_TASK; term != null && row < end; row++) {
            term.reduce(x, xAt[row], reduced[which], row * term.rank(), scratch[thread].lanes);
        }
    }

    /** Adds the adapter's term of a block of rows to their products with all vectors. */
    private void addTerm(int which, int first, int count, Scratch mine, int at) {
        LowRankTerm term = terms[layerIndex][which];
        for (int row = 0; term != null && row < pass.rows; row++) {
            term.add(first, count, reduced[which], row * term.rank(), mine.a, at + row * RowMultiplier.BLOCK);
        }
    }

    /** Queries, keys and values. */
    private void project(int task, int thread) {
        int queryTasks = tasks(config.queryWidth());
        int kvTasks = tasks(config.kvWidth());
        if (task < queryTasks) {
            project(layer.query(), strips[layerIndex].query(), 0, layer.queryBias(), task, thread, pass.q);
        } else if (task < queryTasks + kvTasks) {
            project(layer.key(), strips[layerIndex].key(), 1, layer.keyBias(), task - queryTasks, thread, pass.k);
        } else {
            int index = task - queryTasks - kvTasks;
            project(layer.value(), strips[layerIndex].value(), 2, layer.valueBias(), index, thread, pass.v);
        }
    }

    private void router(int task, int thread) {
        Scratch mine = scratch[thread];
        Matrix router = layer.router();
        int first = task * ROUTER_ROWS;
        int count = Math.min(ROUTER_ROWS, router.rows() - first);
        mine.multiplier.multiply(router, first, count, pass.t, pass.normedAt, 0, pass.rows, mine.a);
        store(router.rows(), layer.routerBias(), first, count, mine.a, 0, pass.g);
    }

    /** Some rows of {@code out = t W^T + b}, [T, rows of the matrix]. */
    private void project(
            Matrix matrix, @Nullable Strips relayed, int term, float[] bias, int task, int thread, float[] out) {
        int end = begin(task + 1, matrix.rows());
        int together = together(relayed);
        Scratch mine = scratch[thread];
        for (int block = begin(task, matrix.rows()); block < end; block += together) {
            int blocks = Math.min(together, end - block);
            mine.multiply(matrix, relayed, block, blocks, pass.t, pass.normedAt, 0, pass.rows, packed);
            for (int i = 0; i < blocks; i++) {
                int at = i * pass.rows * RowMultiplier.BLOCK;
                projectBlock(matrix.rows(), term, bias, (block + i) * RowMultiplier.BLOCK, mine, at, out);
            }
        }
    }

    /** Blocks that are multiplied together: they share what is read of the activations. */
    private static int together(@Nullable Strips strips) {
        return strips == null ? 1 : STRIPS_PER_TASK;
    }

    private void projectBlock(int width, int term, float[] bias, int first, Scratch mine, int at, float[] out) {
        int count = Math.min(RowMultiplier.BLOCK, width - first);
        addTerm(term, first, count, mine, at);
        store(width, bias, first, count, mine.a, at, out);
    }

    /** Some of the columns of out, [T, width]: products [T, BLOCK] and biases. */
    private void store(int width, float[] bias, int first, int count, float[] products, int at, float[] out) {
        for (int row = 0; row < pass.rows; row++) {
            for (int i = 0; i < count; i++) {
                out[row * width + first + i] = products[at + row * RowMultiplier.BLOCK + i] + bias[first + i];
            }
        }
    }

    /** Rotates queries and keys, and stores keys and values. */
    private void rotate(int task, int thread) {
        int end = Math.min((task + 1) * ROWS_PER_TASK, pass.rows);
        int headDim = config.headDim();
        int queryWidth = config.queryWidth();
        int kvWidth = config.kvWidth();
        for (int row = task * ROWS_PER_TASK; row < end; row++) {
            int angles = row * (headDim / 2);
            Elementwise.rotate(pass.q, row * queryWidth, queryWidth, headDim, pass.cos, pass.sin, angles);
            Elementwise.rotate(pass.k, row * kvWidth, kvWidth, headDim, pass.cos, pass.sin, angles);
            pass.sequence[pass.segmentOf[row]].store(layerIndex, pass.positionOf(row), pass.k, pass.v, row * kvWidth);
        }
    }

    private void attend(int task, int thread) {
        int segment = 0;
        while (pass.attentionTasks[segment] <= task) {
            segment++;
        }
        int index = task - (segment == 0 ? 0 : pass.attentionTasks[segment - 1]);
        if (pass.spans[segment] > 0) {
            int width = config.heads() * Attention.partialWidth(config);
            scratch[thread].attention.attendSpan(
                    pass.sequence[segment],
                    layerIndex,
                    pass.position[segment],
                    index,
                    pass.q,
                    pass.firstRow[segment] * config.queryWidth(),
                    pass.partials,
                    pass.partialsAt[segment] + index * width);
            return;
        }
        int kvHead = index % config.kvHeads();
        int first = index / config.kvHeads() * Attention.ROWS;
        int rows = pass.segmentRows[segment] * (config.heads() / config.kvHeads());
        scratch[thread].attention.attend(
                pass.sequence[segment],
                layerIndex,
                config.isWindowed(layerIndex),
                kvHead,
                pass.position[segment],
                first,
                Math.min(Attention.ROWS, rows - first),
                pass.q,
                pass.firstRow[segment] * config.queryWidth(),
                config.queryWidth(),
                layer.sinks(),
                pass.attended,
                pass.firstRow[segment] * pass.attendedStride,
                pass.attendedStride);
    }

    /** The heads of one group of one segment, if its spans were computed side by side. */
    private void mergeSpans(int task, int thread) {
        int segment = task / config.kvHeads();
        if (pass.spans[segment] > 0) {
            scratch[thread].attention.mergeSpans(
                    pass.partials,
                    pass.partialsAt[segment],
                    pass.spans[segment],
                    task % config.kvHeads(),
                    layer.sinks(),
                    pass.attended,
                    pass.firstRow[segment] * pass.attendedStride);
        }
    }

    /** Some rows of {@code x += attended Wo^T + bo}; H is a multiple of 32. */
    private void addAttention(int task, int thread) {
        int end = begin(task + 1, config.hidden());
        Strips out = strips[layerIndex].out();
        int together = together(out);
        Scratch mine = scratch[thread];
        for (int block = begin(task, config.hidden()); block < end; block += together) {
            int blocks = Math.min(together, end - block);
            mine.multiply(layer.out(), out, block, blocks, pass.attended, pass.attendedAt, 0, pass.rows, packed);
            for (int i = 0; i < blocks; i++) {
                addAttentionBlock((block + i) * RowMultiplier.BLOCK, mine, i * pass.rows * RowMultiplier.BLOCK);
            }
        }
    }

    private void addAttentionBlock(int first, Scratch mine, int at) {
        addTerm(3, first, RowMultiplier.BLOCK, mine, at);
        for (int row = 0; row < pass.rows; row++) {
            for (int i = 0; i < RowMultiplier.BLOCK; i++) {
                pass.x[row * config.hidden() + first + i] +=
                        mine.a[at + row * RowMultiplier.BLOCK + i] + layer.outBias()[first + i];
            }
        }
    }

    private void route(int rows) {
        routing.route(pass.g, rows);
        for (int slot = 0; slot < rows * config.expertsPerToken(); slot++) {
            pass.slotRowAt[slot] = pass.normedAt[routing.rowOfSlot(slot)];
        }
    }

    /** Some blocks of one expert: gate and up, and the activation. */
    private void gateUp(int task, int thread) {
        int tasks = tasks(config.intermediate());
        int expert = routing.active(task / tasks);
        int block = task % tasks * STRIPS_PER_TASK;
        int end = Math.min(block + STRIPS_PER_TASK, RowMultiplier.blocks(config.intermediate()));
        if (strips[layerIndex].experts() != null) {
            gateUpStrips(expert, block, end - block, scratch[thread]);
            return;
        }
        for (; block < end; block++) {
            gateUpBlock(expert, block * RowMultiplier.BLOCK, scratch[thread]);
        }
    }

    private void gateUpBlock(int expert, int first, Scratch mine) {
        int count = RowMultiplier.BLOCK; // intermediate sizes are multiples of 32
        int from = routing.firstSlot(expert);
        int slots = routing.slots(expert);
        ExpertWeights w = layer.experts().get(expert);
        loadBiases(expert, first, 1, mine);
        mine.multiplier.multiply(w.gate(), first, count, pass.t, pass.slotRowAt, from, slots, mine.a);
        mine.multiplier.multiply(w.up(), first, count, pass.t, pass.slotRowAt, from, slots, mine.b);
        activate(1, slots, mine);
        for (int slot = 0; slot < slots; slot++) {
            int to = pass.slotAt[from + slot] + first;
            System.arraycopy(mine.activated, slot * RowMultiplier.BLOCK, pass.inner, to, RowMultiplier.BLOCK);
        }
    }

    private void loadBiases(int expert, int first, int blocks, Scratch mine) {
        bias(layer.gateBias(), expert, first, blocks, mine.biasA);
        bias(layer.upBias(), expert, first, blocks, mine.biasB);
    }

    /** Biases and activation of some blocks: of a and b [blocks, slots, BLOCK], into activated. */
    private void activate(int blocks, int slots, Scratch mine) {
        Elementwise.addBiases(mine.a, blocks, slots, mine.biasA);
        Elementwise.addBiases(mine.b, blocks, slots, mine.biasB);
        int count = blocks * slots * RowMultiplier.BLOCK;
        Elementwise.swiglu(mine.a, mine.b, count, (float) config.swigluLimit(), mine.activated);
    }

    /** Rounds what goes into one expert. */
    private void round(int task, int thread) {
        Scratch mine = scratch[thread];
        int expert = routing.active(task);
        int from = routing.firstSlot(expert);
        int slots = routing.slots(expert);
        for (int slot = 0; slot < slots; slot++) {
            int at = pass.slotRowAt[from + slot];
            for (int block = 0; block < config.hidden() / 32; block++) {
                roundedNormed.set(pass.t, at + 32 * block, from, slots, slot, block, mine.rounded, mine.lanes);
            }
        }
    }

    /** As {@link #gateUpBlock}; rounds what it gives. */
    private void gateUpStrips(int expert, int block, int count, Scratch mine) {
        int from = routing.firstSlot(expert);
        int slots = routing.slots(expert);
        Strips w = strips[layerIndex].gateUp(expert);
        loadBiases(expert, block * RowMultiplier.BLOCK, count, mine);
        mine.stripMultiplier.multiply(w, block, count, from, slots, roundedNormed, mine.a, mine.b);
        activate(count, slots, mine);
        for (int i = 0; i < count; i++) {
            for (int slot = 0; slot < slots; slot++) {
                int at = (i * slots + slot) * RowMultiplier.BLOCK;
                roundedInner.set(mine.activated, at, from, slots, slot, block + i, mine.rounded, mine.lanes);
            }
        }
    }

    /** Some blocks of what one expert gives. */
    private void down(int task, int thread) {
        Scratch mine = scratch[thread];
        int tasks = downTasks();
        int expert = routing.active(task / tasks);
        int block = task % tasks * 2 * STRIPS_PER_TASK;
        int end = Math.min(block + 2 * STRIPS_PER_TASK, RowMultiplier.blocks(config.hidden()));
        if (strips[layerIndex].experts() == null) {
            for (; block < end; block++) {
                downBlock(expert, block * RowMultiplier.BLOCK, mine);
            }
        } else {
            downStrips(expert, block / 2, (end - block + 1) / 2, mine);
        }
    }

    /** As {@link #downBlock}, two blocks in a strip; the last strip may have one only. */
    private void downStrips(int expert, int first, int count, Scratch mine) {
        int from = routing.firstSlot(expert);
        int slots = routing.slots(expert);
        Strips w = strips[layerIndex].down(expert);
        int blocks = Math.min(2 * count, RowMultiplier.blocks(config.hidden()) - 2 * first);
        bias(layer.downBias(), expert, 2 * first * RowMultiplier.BLOCK, blocks, mine.biasA);
        mine.stripMultiplier.multiply(w, first, count, from, slots, roundedInner, mine.a, mine.b);
        for (int i = 0; i < blocks; i++) {
            float[] half = i % 2 == 0 ? mine.a : mine.b;
            int at = i / 2 * slots * RowMultiplier.BLOCK;
            storeExpert(half, at, mine.biasA, i, (2 * first + i) * RowMultiplier.BLOCK, from, slots);
        }
    }

    private void downBlock(int expert, int first, Scratch mine) {
        int from = routing.firstSlot(expert);
        int slots = routing.slots(expert);
        Matrix w = layer.experts().get(expert).down();
        mine.multiplier.multiply(w, first, RowMultiplier.BLOCK, pass.inner, pass.slotAt, from, slots, mine.a);
        bias(layer.downBias(), expert, first, 1, mine.biasA);
        storeExpert(mine.a, 0, mine.biasA, 0, first, from, slots);
    }

    /**
     * One block of what an expert gives.
     *
     * @param block of the biases
     */
    private void storeExpert(float[] a, int at, float[] bias, int block, int first, int from, int slots) {
        for (int slot = 0; slot < slots; slot++) {
            int to = (from + slot) * config.hidden() + first;
            for (int i = 0; i < RowMultiplier.BLOCK; i++) {
                pass.y[to + i] = a[at + slot * RowMultiplier.BLOCK + i] + bias[block * RowMultiplier.BLOCK + i];
            }
        }
    }

    private static void bias(Matrix matrix, int row, int first, int blocks, float[] into) {
        int count = blocks * RowMultiplier.BLOCK;
        if (matrix instanceof F32Matrix m && m.columnStride() == 4) { // as GGUF has them
            long at = m.offset() + row * m.rowStride() + 4L * first;
            MemorySegment.copy(m.data(), LITTLE_FLOAT, at, into, 0, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            into[i] = matrix.get(row, first + i);
        }
    }

    /** x += the weighted sum of each row's experts, the best first. */
    private void addExperts(int task, int thread) {
        int hidden = config.hidden();
        int end = Math.min((task + 1) * ROWS_PER_TASK, pass.rows);
        for (int row = task * ROWS_PER_TASK; row < end; row++) {
            for (int n = 0; n < config.expertsPerToken(); n++) {
                float share = routing.share(row, n);
                int at = routing.slot(row, n) * hidden;
                for (int i = 0; i < hidden; i++) {
                    pass.x[row * hidden + i] += share * pass.y[at + i];
                }
            }
        }
    }

    /** Moves the rows whose logits are wanted to the front of x. */
    private void gatherWanted() {
        int hidden = config.hidden();
        for (int i = 0; i < pass.wanted; i++) {
            System.arraycopy(pass.x, pass.wantedRow[i] * hidden, pass.x, i * hidden, hidden);
        }
    }

    private void emit(LogitsConsumer logits) {
        for (firstLogit = 0; firstLogit < pass.wanted; firstLogit += logitRows) {
            logitRows = Math.min(LOGIT_ROWS, pass.wanted - firstLogit);
            int held = logitBuffer.length;
            if (held < logitRows) {
                logitBuffer = Arrays.copyOf(logitBuffer, logitRows);
                handedOut = Arrays.copyOf(handedOut, logitRows);
                for (int i = held; i < logitRows; i++) {
                    float[] buffer = new float[config.vocabulary()];
                    logitBuffer[i] = buffer;
                    handedOut[i] = () -> buffer;
                }
            }
            pack(pass.t, pass.normedAt, firstLogit, logitRows, config.hidden());
            team.run(tasks(config.vocabulary()), unembed);
            for (int i = 0; i < logitRows; i++) {
                int row = pass.wantedRow[firstLogit + i];
                if (!Elementwise.isFinite(logitBuffer[i])) {
                    throw notFinite("the unembedding", row);
                }
                logits.logits(pass.chunk[pass.segmentOf[row]], pass.positionOf(row), handedOut[i]);
            }
        }
    }

    private void unembed(int task, int thread) {
        int end = begin(task + 1, config.vocabulary());
        int together = together(unembedding);
        Scratch mine = scratch[thread];
        for (int block = begin(task, config.vocabulary()); block < end; block += together) {
            int blocks = Math.min(together, end - block);
            mine.multiply(
                    weights.unembedding(),
                    unembedding,
                    block,
                    blocks,
                    pass.t,
                    pass.normedAt,
                    firstLogit,
                    logitRows,
                    packed);
            for (int i = 0; i < blocks; i++) {
                int first = (block + i) * RowMultiplier.BLOCK;
                int count = Math.min(RowMultiplier.BLOCK, config.vocabulary() - first);
                for (int row = 0; row < logitRows; row++) {
                    System.arraycopy(
                            mine.a, (i * logitRows + row) * RowMultiplier.BLOCK, logitBuffer[row], first, count);
                }
            }
        }
    }

    /** Looks at the sums of squares of the norm that has just run. */
    private void checkFinite(boolean afterAttention) {
        for (int i = 0; i < normRows; i++) {
            if (!Double.isFinite(pass.squares[i])) {
                boolean last = layerIndex == config.layers();
                String source = afterAttention
                        ? "the attention of layer " + layerIndex
                        : layerIndex == 0 ? "the embedding" : "the experts of layer " + (layerIndex - 1);
                throw notFinite(source, last ? pass.wantedRow[i] : i);
            }
        }
    }

    private NonFiniteException notFinite(String source, int row) {
        return new NonFiniteException(source + " gave numbers that are not finite at position " + pass.positionOf(row)
                + ": the weights are broken");
    }
}
