package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.Logits;
import dev.ossicle.engine.Sampler;
import dev.ossicle.engine.Sampling;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The logits of some positions on the GPU. What is to be drawn from them is gathered, drawn by one kernel, and handed out when the
 * host has waited for it: four bytes a row cross the bus.
 */
final class DeviceLogits implements AutoCloseable {
    // struct SampleRequest of sample.cu: double temperature, topP, minP, uniform; int topK, masked
    private static final long REQUEST_BYTES = 40;
    private static final int CHUNK_IDS = 2048;
    private static final long CHUNK_BYTES = 32;
    /** What the kernel can draw from. */
    private static final int MOST_IDS = 1 << 20;
    /** Of the kernel's own arrays (kernels.txt). */
    private static final int OWN_SHARED_BYTES = 384;

    private final ModelConfig config;
    private final int vocabulary;
    /** Words of a mask. */
    private final int words;
    /** float [LOGIT_ROWS, V] */
    private final DeviceMemory logits;

    private final DeviceMemory requests;
    private final DeviceMemory masks;
    private final DeviceMemory tokens;
    private final DeviceMemory chunks;
    private final DeviceMemory largest;
    private final DeviceMemory tickets;

    private final Stream stream;
    private final Kernel sample;
    private final boolean draws;
    private final Event done;
    private final PinnedMemory hostRequests;
    private final PinnedMemory hostMasks;
    private final PinnedMemory hostTokens;
    private final PinnedMemory hostFault;
    private final PinnedMemory hostValues;

    private final Row[] rows = new Row[Workspace.LOGIT_ROWS];
    /** Who waits for the token of a row; null where none is drawn. */
    private final @Nullable IntConsumer[] waiting = new IntConsumer[Workspace.LOGIT_ROWS];

    private DeviceMemory fault;
    private int count;

    /** @param heap where the memory of {@link #bytes} comes from */
    DeviceLogits(
            ModelConfig config,
            DeviceMemory logits,
            DeviceMemory fault,
            DeviceHeap heap,
            Stream stream,
            Kernels kernels) {
        this.config = config;
        this.vocabulary = config.vocabulary();
        this.words = (vocabulary + 31) / 32;
        this.logits = logits;
        this.fault = fault;
        int most = Workspace.LOGIT_ROWS;
        this.requests = heap.allocate(most * REQUEST_BYTES);
        this.masks = heap.allocate(4L * most * words);
        this.tokens = heap.allocate(4L * most);
        this.chunks = heap.allocate(most * chunks(vocabulary) * CHUNK_BYTES);
        this.largest = heap.allocate(4L * most * words);
        this.tickets = heap.allocate(4L * most);
        this.stream = stream;
        this.sample = kernels.kernel("sample");
        Device device = stream.device();
        this.draws = draws(vocabulary, device.sharedBytes());
        this.done = Event.create(device);
        this.hostRequests = PinnedMemory.allocate(device, most * REQUEST_BYTES);
        this.hostMasks = PinnedMemory.allocate(device, 4L * most * words);
        this.hostTokens = PinnedMemory.allocate(device, 4L * most);
        this.hostFault = PinnedMemory.allocate(device, 4);
        this.hostValues = PinnedMemory.allocate(device, 4L * vocabulary);
        Arrays.setAll(rows, Row::new);
        stream.fill(tickets, (byte) 0);
    }

    private static long chunks(int vocabulary) {
        return (vocabulary + CHUNK_IDS - 1) / CHUNK_IDS;
    }

    /** Whether the kernel can draw from so many, or the host must. */
    static boolean draws(int vocabulary, int sharedBytes) {
        return vocabulary <= MOST_IDS && shared(vocabulary) + OWN_SHARED_BYTES <= sharedBytes;
    }

    /** Bytes for the kernel's tokens in question, and a mask of all. */
    private static int shared(int vocabulary) {
        return 32_768 + 4 * ((vocabulary + 31) / 32);
    }

    /** Device memory that drawing takes. */
    static long bytes(ModelConfig config) {
        long words = (config.vocabulary() + 31) / 32;
        return Workspace.LOGIT_ROWS * (REQUEST_BYTES + 8 * words + 8 + chunks(config.vocabulary()) * CHUNK_BYTES);
    }

    /**
     * Rows whose logits are there when the stream has come so far.
     *
     * @param faultOfStep int [1]
     */
    void begin(int newCount, DeviceMemory faultOfStep) {
        count = newCount;
        fault = faultOfStep;
        Arrays.fill(waiting, null);
        for (int row = 0; row < count; row++) {
            hostRequests.segment().set(JAVA_DOUBLE, row * REQUEST_BYTES, -1); // no draw
        }
    }

    Logits row(int index) {
        return rows[index];
    }

    /** Whether a token is to be drawn from every row. */
    boolean drawsAll() {
        for (int row = 0; row < count; row++) {
            if (waiting[row] == null) {
                return false;
            }
        }
        return count > 0;
    }

    /**
     * Puts the draws on the stream.
     *
     * @param into int [rows]: where tokens go beside to who waits for them; null for nowhere
     */
    void draw(@Nullable DeviceMemory into) {
        boolean any = false;
        for (int row = 0; row < count; row++) {
            any |= waiting[row] != null;
        }
        if (any) {
            stream.copy(hostRequests.segment().asSlice(0, count * REQUEST_BYTES), requests);
            sample.pointer(logits).pointer(requests).pointer(masks);
            sample.pointer(into == null ? tokens : into).pointer(hostTokens.address());
            sample.pointer(chunks).pointer(largest).pointer(tickets).integer(vocabulary);
            sample.pointer(fault).integer(Faults.beforeLogits(config) + 1);
            sample.launch(stream, (int) chunks(vocabulary), count, 1, 512, shared(vocabulary));
        }
        stream.copy(fault, hostFault.segment());
        done.record(stream);
    }

    /** Waits for the rows and what was drawn from them; tells the code of what went wrong. */
    int await() {
        done.synchronize();
        return hostFault.segment().get(JAVA_INT, 0);
    }

    /** Hands the tokens out, [rows]. */
    int[] hand() {
        int[] drawn = new int[count];
        for (int row = 0; row < count; row++) {
            IntConsumer consumer = waiting[row];
            if (consumer != null) {
                drawn[row] = hostTokens.segment().getAtIndex(JAVA_INT, row);
                consumer.accept(drawn[row]);
            }
        }
        return drawn;
    }

    private final class Row implements Logits {
        private final int index;

        Row(int index) {
            this.index = index;
        }

        @Override
        public float[] values() {
            float[] copy = new float[vocabulary];
            stream.copy(fault, hostFault.segment());
            stream.copy(logits.slice(4L * index * vocabulary, 4L * vocabulary), hostValues.segment());
            stream.synchronize();
            MemorySegment.copy(hostValues.segment(), JAVA_FLOAT, 0, copy, 0, vocabulary);
            int code = hostFault.segment().get(JAVA_INT, 0);
            for (int id = 0; code == 0 && id < vocabulary; id++) {
                code = Float.isFinite(copy[id]) ? 0 : Faults.beforeLogits(config) + 1;
            }
            if (code != 0) {
                throw Faults.exception(code, config, "");
            }
            return copy;
        }

        @Override
        public void sample(
                Sampler host, Sampling sampling, long position, @Nullable BitMask allowed, IntConsumer drawn) {
            if (!draws) {
                Logits.super.sample(host, sampling, position, allowed, drawn);
                return;
            }
            if (allowed != null && allowed.isEmpty()) {
                throw new IllegalStateException("the mask allows no token at all");
            }
            MemorySegment request = hostRequests.segment().asSlice(index * REQUEST_BYTES, REQUEST_BYTES);
            request.set(JAVA_DOUBLE, 0, sampling.temperature());
            request.set(JAVA_DOUBLE, 8, sampling.topP());
            request.set(JAVA_DOUBLE, 16, sampling.minP());
            request.set(JAVA_DOUBLE, 24, Sampler.uniform(sampling.seed(), position));
            request.set(JAVA_INT, 32, sampling.topK());
            request.set(JAVA_INT, 36, allowed == null ? 0 : 1);
            if (allowed != null) {
                send(allowed);
            }
            waiting[index] = drawn;
        }

        private void send(BitMask mask) {
            MemorySegment part = hostMasks.segment().asSlice(4L * index * words, 4L * words);
            for (int word = 0; word < words; word++) {
                part.setAtIndex(JAVA_INT, word, (int) (mask.word(word / 2) >>> word % 2 * 32));
            }
            stream.copy(part, masks.slice(4L * index * words, 4L * words));
        }
    }

    @Override
    public void close() {
        done.close();
        hostRequests.close();
        hostMasks.close();
        hostTokens.close();
        hostFault.close();
        hostValues.close();
    }
}
