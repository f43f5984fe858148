package dev.ossicle.cuda;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Batches;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.HostExperts;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.LogitsConsumer;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.Precision;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The forward pass on one GPU: activations and cache of 16 bits, sums in float32.
 *
 * <p>All work goes to one stream, so that everything happens in the order in which it is put there; the host waits at the end of
 * a pass. While it deals with the tokens that a decode step has drawn, the next step runs already, for the same sequences
 * and these tokens. If something else is asked for then, what that step wrote lies beyond the end of its sequences,
 * where nobody reads it before it is overwritten.
 */
final class CudaModelRunner implements ModelRunner {
    private static final System.Logger LOG = System.getLogger("dev.ossicle");

    private static final int BUFFER_BYTES = 16 << 20;

    private final Device device;
    private final ModelConfig config;
    private final MemoryPlan plan;
    private final String description;
    private final int hostExpertLayers;
    private final @Nullable ModelRunner host;

    // Closed in the opposite order.
    private final List<AutoCloseable> resources = new ArrayList<>();
    private final Stream stream;
    private final KvPages pages;
    private final Workspace work;
    private final StepInputs decodeInputs;
    private final StepInputs prefillInputs;
    private final DecodePass decode;
    private final PrefillPass prefill;
    private final DeviceLogits logits;
    /** The residual stream while the host has it; null if it never has. */
    private final @Nullable PinnedMemory hostRows;
    /** Decode steps of 1, 2, 4 and 8 rows; null if they cannot be recorded. */
    private final Graph @Nullable [] graphs;

    private final List<CudaKvSequence> sequences = new ArrayList<>();
    /** Nanoseconds that the host has waited for the GPU. */
    private long waited;
    /** What is computed already. */
    private @Nullable Ahead ahead;

    /** To which the GPU is current. */
    private Thread owner = Thread.currentThread();

    private boolean closed;

    /** A decode step that was put on the stream before it was asked for. */
    private record Ahead(CudaKvSequence[] sequences, int[] lengths, int[] tokens) {
        boolean isFor(List<Chunk> batch) {
            boolean same = batch.size() == sequences.length;
            for (int i = 0; same && i < sequences.length; i++) {
                Chunk chunk = batch.get(i);
                same = chunk.sequence().equals(sequences[i])
                        && sequences[i].length() == lengths[i]
                        && chunk.tokens().length == 1
                        && chunk.tokens()[0] == tokens[i]
                        && chunk.wantedLogits() == 1;
            }
            return same;
        }
    }

    /**
     * Brings a model to a GPU.
     *
     * @param device is closed with the runner, or at once if this fails
     * @throws IllegalStateException if there is not memory enough, saying what to do
     */
    static ModelRunner open(Device device, Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        MemoryPlan plan = MemoryPlan.of(checkpoint.config(), options);
        ModelRunner host = null;
        try {
            host = options.hostExpertLayers() == 0 ? null : host(checkpoint, options);
            return new CudaModelRunner(
                    device,
                    checkpoint.path(),
                    checkpoint.config(),
                    checkpoint.weights(),
                    options,
                    plan,
                    host,
                    progress);
        } catch (RuntimeException | Error e) {
            if (host != null) {
                host.close();
            }
            device.close();
            throw e;
        }
    }

    private static ModelRunner host(Checkpoint checkpoint, DeviceOptions options) {
        DeviceOptions exact = new DeviceOptions(options.threads(), Precision.EXACT, 32, 0, 0); // straight from the file
        return ModelRunners.choose("cpu").provider().open(checkpoint, exact, LoadProgress.NONE);
    }

    /**
     * Nothing stays open if this fails, but the device and the host.
     *
     * @param path of the checkpoint, for messages
     * @param host computes the experts that stay in host memory; closed with this; null if there are none
     */
    CudaModelRunner(
            Device device,
            Path path,
            ModelConfig model,
            ModelWeights modelWeights,
            DeviceOptions options,
            MemoryPlan plan,
            @Nullable ModelRunner host,
            LoadProgress progress) {
        this.device = device;
        this.plan = plan;
        this.host = host;
        this.hostExpertLayers = Math.min(options.hostExpertLayers(), model.layers());
        WeightsLoader.problem(modelWeights, hostExpertLayers).ifPresent(problem -> {
            throw new CheckpointException(path, problem);
        });
        boolean done = false;
        try {
            long free = device.freeBytes();
            if (free < plan.bytes()) {
                throw new IllegalStateException(
                        "the model needs " + Gpu.gigabytes(plan.bytes())
                                + " GB of the GPU's memory, " + Gpu.gigabytes(free)
                                + " GB are free: leave experts of more layers in host memory (--n-cpu-moe), or use --device cpu");
            }
            this.stream = keep(Stream.create(device));
            DeviceHeap heap = keep(DeviceHeap.on(device));
            DeviceWeights weights = DeviceWeights.allocate(model, hostExpertLayers, model.maxContext(), heap);
            this.work = new Workspace(model, plan.passRows(), device.multiprocessors(), heap);
            this.pages = new KvPages(model, plan.pages(options.cacheBytes(), free), heap, stream);
            this.config = model.withMaxContext(plan.context(pages.count()));
            int mostPages = KvPages.pages(model.maxContext());
            this.decodeInputs =
                    keep(new StepInputs(DecodePass.MOST_ROWS, DecodePass.MOST_ROWS, mostPages, work.decodeInputs));
            this.prefillInputs =
                    keep(new StepInputs(plan.passRows(), Workspace.MOST_SEQUENCES, mostPages, work.prefillInputs));
            WeightsLoader loader = new WeightsLoader(path, BUFFER_BYTES);
            loader.add(model, modelWeights, weights);
            loader.load(device, options.threads(), progress);

            Kernels kernels = keep(Kernels.load(device));
            int multiprocessors = device.multiprocessors();
            this.decode = new DecodePass(config, weights, pages, work, decodeInputs, stream, kernels, multiprocessors);
            this.prefill =
                    new PrefillPass(config, weights, pages, work, prefillInputs, stream, kernels, device.sharedBytes());
            this.logits = keep(new DeviceLogits(config, work.logits, decodeInputs.fault(), heap, stream, kernels));
            this.hostRows = hostExpertLayers == 0
                    ? null
                    : keep(PinnedMemory.allocate(device, 4L * plan.passRows() * config.hidden()));
            work.clear(stream);
            this.graphs = hostExpertLayers > 0 ? null : record();
            stream.synchronize();
            this.description = describe(options, model);
            done = true;
        } finally {
            if (!done) {
                closeResources();
            }
        }
    }

    private <T extends AutoCloseable> T keep(T resource) {
        resources.add(resource);
        return resource;
    }

    private Graph[] record() {
        Graph[] recorded = new Graph[4];
        for (int i = 0; i < recorded.length; i++) {
            int rows = 1 << i;
            recorded[i] = keep(stream.record(() -> decode.run(rows, this::addHostExperts)));
        }
        return recorded;
    }

    private String describe(DeviceOptions options, ModelConfig model) {
        return device.name() + ", fp16, cache of " + Gpu.gigabytes(pages.count() * pageBytes()) + " GB"
                + (config.maxContext() < model.maxContext() ? ", room for " + config.maxContext() + " positions" : "")
                + (hostExpertLayers == 0
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                ", experts of %d layers by the processor, %d threads",
                                hostExpertLayers,
                                options.threads()));
    }

    Device device() {
        return device;
    }

    /** While it is watched, decode steps are launched kernel by kernel. */
    Stream stream() {
        return stream;
    }

    /** Nanoseconds that {@link #forward} has waited for the GPU, in all; the rest of its time is the host's own. */
    long waitedNanos() {
        return waited;
    }

    /** Of the model; its context is shorter if the GPU's memory does not hold it. */
    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int prefillTokens() {
        return plan.passRows();
    }

    @Override
    public CudaKvSequence newSequence(int maxContext) {
        checkOpen();
        Batches.checkContext(config, maxContext);
        CudaKvSequence sequence = new CudaKvSequence(this, pages, config.window(), maxContext);
        sequences.add(sequence);
        return sequence;
    }

    void forget(CudaKvSequence sequence) {
        sequences.remove(sequence);
    }

    @Override
    public void write(List<KvSequence> sequencesToWrite, DataOutputStream out) throws IOException {
        checkOpen();
        KvFile.write(pages, shape(), sequencesToWrite, out);
    }

    @Override
    public List<KvSequence> read(DataInputStream in) throws IOException {
        checkOpen();
        List<CudaKvSequence> restored = new ArrayList<>();
        boolean complete = false;
        try {
            KvFile.read(pages, shape(), in, () -> {
                CudaKvSequence sequence = newSequence(config.maxContext());
                restored.add(sequence);
                return sequence;
            });
            complete = true;
            return List.copyOf(restored);
        } finally {
            if (!complete) {
                restored.forEach(CudaKvSequence::close);
            }
        }
    }

    /** What sequences of runners that understand each other have in common. */
    private String shape() {
        return "fp16 pages of " + KvPages.POSITIONS + ", " + config.layers() + " layers, " + config.kvHeads()
                + " heads, window " + config.window();
    }

    long pageBytes() {
        return KvPages.pageBytes(config);
    }

    @Override
    public long cacheBytes() {
        return (pages.count() - pages.free()) * pageBytes();
    }

    @Override
    public long cacheCapacity() {
        return plan.usable(pages.count()) * pageBytes();
    }

    @Override
    public void forward(List<Chunk> batch, LogitsConsumer consumer) {
        checkOpen();
        for (int i = 0; i < batch.size(); i++) {
            if (!(batch.get(i).sequence() instanceof CudaKvSequence sequence) || !sequence.isOf(this)) {
                throw new IllegalArgumentException("the sequence of chunk " + i + " is not of this runner");
            }
        }
        Batches.check(config, batch);
        Ahead computed = ahead;
        ahead = null;
        if (computed != null && computed.isFor(batch)) {
            finishDecode(batch, consumer);
            return;
        }
        checkRoom(batch);
        if (batch.size() <= DecodePass.MOST_ROWS && batch.stream().allMatch(chunk -> chunk.tokens().length == 1)) {
            if (!batch.isEmpty()) {
                startDecode(batch, true);
                finishDecode(batch, consumer);
            }
        } else {
            prefill(batch, consumer);
        }
    }

    private void checkRoom(List<Chunk> batch) {
        long needed = 0;
        for (Chunk chunk : batch) {
            needed += sequence(chunk).pagesFor(chunk.tokens().length, plan.passRows());
        }
        if (needed > pages.free()) {
            throw new IllegalStateException(
                    "the GPU's memory for keys and values is full: " + pages.count() + " pages of " + KvPages.POSITIONS
                            + " positions, " + pages.free() + " of them free, " + needed + " needed");
        }
    }

    private static CudaKvSequence sequence(Chunk chunk) {
        return (CudaKvSequence) chunk.sequence();
    }

    /** @param tokens whether the batch has them; if not, they are on the device */
    private void startDecode(List<Chunk> batch, boolean tokens) {
        decodeInputs.clear();
        for (Chunk chunk : batch) {
            CudaKvSequence sequence = sequence(chunk);
            sequence.reserve(1);
            decodeInputs.add(sequence, sequence.length(), chunk.tokens(), 0, 1, chunk.wantedLogits());
        }
        int size = 32 - Integer.numberOfLeadingZeros(batch.size() - 1); // 0, 1, 2, 3
        decodeInputs.pad(1 << size);
        decodeInputs.send(stream, tokens);
        if (graphs == null || stream.watch() != null) {
            decode.run(1 << size, this::addHostExperts);
        } else {
            graphs[size].launch(stream);
        }
    }

    private void finishDecode(List<Chunk> batch, LogitsConsumer consumer) {
        int[] chunks = new int[batch.size()];
        int[] positions = new int[batch.size()];
        int wanted = 0;
        for (int i = 0; i < batch.size(); i++) {
            CudaKvSequence sequence = sequence(batch.get(i));
            if (batch.get(i).wantedLogits() == 1) {
                chunks[wanted] = i;
                positions[wanted++] = sequence.length();
            }
            sequence.advance(1);
        }
        logits.begin(wanted, decodeInputs.fault());
        for (int i = 0; i < wanted; i++) {
            consumer.logits(chunks[i], positions[i], logits.row(i));
        }
        logits.draw(decodeInputs.token());
        Ahead next = graphs != null && stream.watch() == null && wanted == batch.size() && logits.drawsAll()
                ? startAhead(batch)
                : null;
        checkFault(await(), batch);
        int[] drawn = logits.hand();
        if (next != null) {
            System.arraycopy(drawn, 0, next.tokens(), 0, drawn.length);
            ahead = next;
        }
    }

    /** The next step of the same sequences, with the tokens that were drawn; null if there is no room for it. */
    private @Nullable Ahead startAhead(List<Chunk> batch) {
        int needed = 0;
        List<Chunk> next = new ArrayList<>();
        int[] lengths = new int[batch.size()];
        CudaKvSequence[] same = new CudaKvSequence[batch.size()];
        for (int i = 0; i < same.length; i++) {
            same[i] = sequence(batch.get(i));
            lengths[i] = same[i].length();
            if (lengths[i] == same[i].maxContext()) {
                return null;
            }
            needed += same[i].pagesFor(1, plan.passRows());
            next.add(new Chunk(same[i], new int[1], 1));
        }
        if (needed > pages.free()) {
            return null;
        }
        startDecode(next, false);
        return new Ahead(same, lengths, new int[same.length]);
    }

    private void prefill(List<Chunk> batch, LogitsConsumer consumer) {
        int index = 0;
        int done = 0;
        int[] chunkOf = new int[plan.passRows()];
        int[] positionOf = new int[plan.passRows()];
        while (index < batch.size()) {
            prefillInputs.clear();
            List<Chunk> members = new ArrayList<>();
            while (index < batch.size() && !prefillInputs.isFull()) {
                Chunk chunk = batch.get(index);
                CudaKvSequence sequence = sequence(chunk);
                int left = chunk.tokens().length - done;
                int count = Math.min(left, prefillInputs.left());
                int wanted = Math.clamp(chunk.wantedLogits() - (left - count), 0, count);
                Arrays.fill(chunkOf, prefillInputs.wanted(), prefillInputs.wanted() + wanted, index);
                for (int i = 0; i < wanted; i++) {
                    positionOf[prefillInputs.wanted() + i] = sequence.length() + count - wanted + i;
                }
                sequence.reserve(count);
                prefillInputs.add(sequence, sequence.length(), chunk.tokens(), done, count, wanted);
                sequence.advance(count);
                members.add(chunk);
                done += count;
                if (done == chunk.tokens().length) {
                    index++;
                    done = 0;
                }
            }
            prefillInputs.send(stream, true);
            prefill.run(this::addHostExperts);
            handOut(members, chunkOf, positionOf, consumer);
        }
    }

    private void handOut(List<Chunk> members, int[] chunkOf, int[] positionOf, LogitsConsumer consumer) {
        int first = 0;
        do {
            int count = Math.min(Workspace.LOGIT_ROWS, prefillInputs.wanted() - first);
            if (count > 0) {
                prefill.logits(first, count);
            }
            logits.begin(count, prefillInputs.fault());
            for (int i = 0; i < count; i++) {
                consumer.logits(chunkOf[first + i], positionOf[first + i], logits.row(i));
            }
            logits.draw(null);
            checkFault(await(), members);
            logits.hand();
            first += count;
        } while (first < prefillInputs.wanted());
    }

    /** Waits for the pass; tells the code of what went wrong. */
    private int await() {
        long from = System.nanoTime();
        int fault = logits.await();
        waited += System.nanoTime() - from;
        return fault;
    }

    private void checkFault(int fault, List<Chunk> members) {
        if (fault != 0) {
            boolean one = members.size() == 1 && members.getFirst().tokens().length == 1;
            throw Faults.exception(
                    fault,
                    config,
                    one ? " at position " + (members.getFirst().sequence().length() - 1) : "");
        }
    }

    /** The experts of a layer that are not on the GPU, for the rows of the pass at hand. */
    private void addHostExperts(int layer, int rows) {
        if (!(host instanceof HostExperts experts) || hostRows == null) {
            throw new IllegalStateException("nobody computes experts in host memory");
        }
        float[] x = new float[rows * config.hidden()];
        MemorySegment buffer = hostRows.segment().asSlice(0, 4L * x.length);
        stream.copy(work.x, buffer);
        stream.synchronize();
        MemorySegment.copy(buffer, ValueLayout.JAVA_FLOAT, 0, x, 0, x.length);
        experts.addExperts(layer, x, rows);
        MemorySegment.copy(x, 0, buffer, ValueLayout.JAVA_FLOAT, 0, x.length);
        stream.copy(buffer, work.x);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            own();
            List.copyOf(sequences).forEach(CudaKvSequence::close);
            closeResources();
            if (host != null) {
                host.close();
            }
            device.close();
        }
    }

    private void closeResources() {
        resources.add(device::synchronize); // before what is still computed is taken away
        for (AutoCloseable resource : resources.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                // After a failure of the GPU nothing of it can be freed any more: it goes with the process.
                LOG.log(System.Logger.Level.DEBUG, "freeing the GPU", e);
            }
        }
        resources.clear();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the runner is closed");
        }
        own();
    }

    /** The thread that opens a runner is not the one that computes. */
    private void own() {
        Thread caller = Thread.currentThread();
        if (!caller.equals(owner)) {
            device.makeCurrent();
            owner = caller;
        }
    }
}
