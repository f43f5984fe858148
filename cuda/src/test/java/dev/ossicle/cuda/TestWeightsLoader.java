package dev.ossicle.cuda;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4;
import dev.ossicle.checkpoint.MxFp4Matrix;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every weight arrives, from every storage order, through buffers of any size. */
class TestWeightsLoader {
    private static final Path FILE = Path.of("random");

    private PlayedGpu gpu;
    private DeviceHeap heap;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
        heap = DeviceHeap.on(gpu.device);
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            heap.close();
            gpu.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 3, 700", "3, 8, 100000", "4, 2, 64", "5, 2, 5000", "6, 1, 300"})
    void everythingArrives(int seed, int threads, int bufferBytes) {
        RandomModel model = new RandomModel(seed);
        DeviceWeights to = load(model, threads, bufferBytes);
        String where = "seed " + seed + ", " + model.config;
        assertDense(gpu.bf16s(to.embedding()), 0, model.weights.embedding(), PlayedGpu::rounded, where);
        assertDense(gpu.fp16s(to.unembedding()), 0, model.weights.unembedding(), Numbers::fp16, where);
        assertThat(gpu.floats(to.norm())).as(where).isEqualTo(model.weights.norm());
        for (int l = 0; l < model.config.layers(); l++) {
            assertLayer(to.layers().get(l), model.weights.layers().get(l), where + ", layer " + l);
        }
    }

    private DeviceWeights load(RandomModel model, int threads, int bufferBytes) {
        DeviceWeights to = DeviceWeights.allocate(model.config, 0, 100, heap);
        WeightsLoader loader = new WeightsLoader(FILE, bufferBytes);
        loader.add(model.config, model.weights, to);
        List<Long> progress = new ArrayList<>();
        loader.load(gpu.device, threads, (done, all) -> progress.add(all - done));
        assertThat(progress).last().isEqualTo(0L);
        return to;
    }

    private void assertLayer(DeviceWeights.Layer to, LayerWeights from, String where) {
        int hidden = from.query().columns();
        float[] qkv = gpu.fp16s(to.qkv());
        assertDense(qkv, 0, from.query(), Numbers::fp16, where);
        assertDense(qkv, from.query().rows() * hidden, from.key(), Numbers::fp16, where);
        assertDense(qkv, (from.query().rows() + from.key().rows()) * hidden, from.value(), Numbers::fp16, where);
        float[] biases = gpu.floats(to.qkvBias());
        assertThat(biases).as(where).startsWith(from.queryBias()).endsWith(from.valueBias());
        assertThat(biases).as(where).containsSequence(from.keyBias());
        assertDense(gpu.fp16s(to.out()), 0, from.out(), Numbers::fp16, where);
        float[] router = gpu.floats(to.router());
        for (int e = 0; e < from.router().rows(); e++) {
            for (int c = 0; c < hidden; c++) {
                assertThat(router[e * hidden + c])
                        .as(where)
                        .isEqualTo(from.router().get(e, c));
            }
        }
        DeviceWeights.Experts experts = requireNonNull(to.experts());
        float[] gateUpBias = gpu.floats(experts.gateUpBias());
        float[] downBias = gpu.floats(experts.downBias());
        int inner = from.gateBias().columns();
        byte[] gateUpCodes = gpu.bytes(experts.gateUpCodes());
        byte[] gateUpScales = gpu.bytes(experts.gateUpScales());
        byte[] downCodes = gpu.bytes(experts.downCodes());
        byte[] downScales = gpu.bytes(experts.downScales());
        for (int e = 0; e < from.experts().size(); e++) {
            ExpertWeights expert = from.experts().get(e);
            for (int i = 0; i < inner; i++) {
                int row = 2 * (e * inner + i);
                assertThat(gateUpBias[row]).as(where).isEqualTo(from.gateBias().get(e, i));
                assertThat(gateUpBias[row + 1])
                        .as(where)
                        .isEqualTo(from.upBias().get(e, i));
                assertRow(gateUpCodes, gateUpScales, row, expert.gate(), i, where + ", gate of expert " + e);
                assertRow(gateUpCodes, gateUpScales, row + 1, expert.up(), i, where + ", up of expert " + e);
            }
            for (int i = 0; i < hidden; i++) {
                assertThat(downBias[e * hidden + i])
                        .as(where)
                        .isEqualTo(from.downBias().get(e, i));
                assertRow(downCodes, downScales, e * hidden + i, expert.down(), i, where + ", down of expert " + e);
            }
        }
    }

    private static void assertDense(float[] values, int at, Matrix from, UnaryOperator<Float> rounded, String where) {
        for (int r = 0; r < from.rows(); r++) {
            for (int c = 0; c < from.columns(); c++) {
                float want = rounded.apply(from.get(r, c));
                if (values[at + r * from.columns() + c] != want) {
                    assertThat(values[at + r * from.columns() + c]).as(where).isEqualTo(want);
                }
            }
        }
    }

    private static void assertRow(byte[] codes, byte[] scales, int row, Matrix from, int fromRow, String where) {
        int columns = from.columns();
        for (int c = 0; c < columns; c++) {
            int pair = codes[(row * columns + c) / 2];
            float value = MxFp4.value(c % 2 == 0 ? pair & 15 : pair >> 4 & 15);
            float got = value * MxFp4.scale(scales[row * columns / 32 + c / 32] & 255);
            if (got != from.get(fromRow, c)) {
                assertThat(got).as("%s, row %d, column %d", where, fromRow, c).isEqualTo(from.get(fromRow, c));
            }
        }
    }

    @Test
    void aWeightThatFp16DoesNotHoldIsRefused() {
        RandomModel model = new RandomModel(1, true);
        BF16Matrix unembedding = (BF16Matrix) model.weights.unembedding();
        long at = unembedding.offset() + 3 * unembedding.rowStride() + 5 * unembedding.columnStride();
        unembedding.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, at, PlayedGpu.bf16(-70_000));
        assertThatThrownBy(() -> load(model, 3, 1000))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("random: the unembedding: row 3, column 5 is -70144.0;");
    }

    @Test
    void aScaleThatIsNoNumberIsRefused() {
        RandomModel model = new RandomModel(3);
        ExpertWeights expert = model.weights.layers().getLast().experts().getFirst();
        switch (expert.down()) {
            case MxFp4Matrix m ->
                m.scales().set(ValueLayout.JAVA_BYTE, m.scalesOffset() + 2 * m.scalesRowStride(), (byte) 255);
            case GgufMxFp4Matrix m -> m.data().set(ValueLayout.JAVA_BYTE, m.offset() + 2 * m.rowStride(), (byte) 255);
            default -> throw new AssertionError();
        }
        assertThatThrownBy(() -> load(model, 3, 1000))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("random: layer " + (model.config.layers() - 1) + ", down of expert 0: ")
                .hasMessageContaining("row 2, columns from 0 have the scale 255");
    }
}
