package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.MxFp4;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.QuantizedMatrix;
import dev.ossicle.checkpoint.TokenizerSource.GgufVocabulary;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Random models of any shape, for tests and measurements. Their weights are of a size that lets activations neither vanish
 * nor overflow. The same seed makes the same model.
 */
public final class Synthesis {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);

    /** Root mean square of E2M1's values, all equally likely. */
    private static final double FP4_SIZE = Math.sqrt(68.5 / 8);

    /** The same for signed bytes from -127 to 127. */
    private static final double BYTE_SIZE = 73.6;

    private Synthesis() {}

    /**
     * A published shape, with fewer layers or experts if wanted.
     *
     * @param name gpt-oss-20b or gpt-oss-120b
     * @throws IllegalArgumentException if it is another, or the counts make no model
     */
    public static ModelConfig like(String name, OptionalInt layers, OptionalInt experts) {
        ModelConfig c = switch (name) {
            case "gpt-oss-20b" -> ModelConfig.GPT_OSS_20B;
            case "gpt-oss-120b" -> ModelConfig.GPT_OSS_120B;
            default -> throw new IllegalArgumentException("model is " + name + ", must be gpt-oss-20b or gpt-oss-120b");
        };
        int expertCount = experts.orElse(c.experts());
        return new ModelConfig(
                layers.orElse(c.layers()),
                expertCount,
                Math.min(c.expertsPerToken(), expertCount),
                c.vocabulary(),
                c.hidden(),
                c.intermediate(),
                c.headDim(),
                c.heads(),
                c.kvHeads(),
                c.window(),
                c.maxContext(),
                c.ropeTheta(),
                c.ropeFactor(),
                c.ropeOriginalContext(),
                c.ropeAlpha(),
                c.ropeBeta(),
                c.swigluLimit(),
                c.rmsEpsilon());
    }

    /**
     * A model in memory, for the writers of either layout. All values are exact in BF16, those of the experts in MXFP4 too,
     * so that files in these formats hold the same model.
     */
    public static ModelWeights weights(ModelConfig config, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Matrix embedding = matrix(config, random, Role.EMBEDDING, config.vocabulary(), config.hidden());
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(layer(config, random));
        }
        float[] norm = vector(config, random, Role.NORM, config.hidden());
        Matrix unembedding = matrix(config, random, Role.UNEMBEDDING, config.vocabulary(), config.hidden());
        return new ModelWeights(embedding, List.copyOf(layers), norm, unembedding);
    }

    private static LayerWeights layer(ModelConfig config, SplittableRandom random) {
        int hidden = config.hidden();
        int inner = config.intermediate();
        int experts = config.experts();
        int queries = config.queryWidth();
        int keys = config.kvWidth();
        List<ExpertWeights> expertWeights = IntStream.range(0, experts)
                .mapToObj(e -> new ExpertWeights(
                        expertMatrix(config, random, Role.GATE_UP, inner, hidden),
                        expertMatrix(config, random, Role.GATE_UP, inner, hidden),
                        expertMatrix(config, random, Role.DOWN, hidden, inner)))
                .toList();
        return new LayerWeights(
                vector(config, random, Role.NORM, hidden),
                matrix(config, random, Role.QKV, queries, hidden),
                vector(config, random, Role.QKV_BIAS, queries),
                matrix(config, random, Role.QKV, keys, hidden),
                vector(config, random, Role.QKV_BIAS, keys),
                matrix(config, random, Role.QKV, keys, hidden),
                vector(config, random, Role.QKV_BIAS, keys),
                vector(config, random, Role.SINKS, config.heads()),
                matrix(config, random, Role.OUT, hidden, queries),
                vector(config, random, Role.OUT_BIAS, hidden),
                vector(config, random, Role.NORM, hidden),
                matrix(config, random, Role.ROUTER, experts, hidden),
                vector(config, random, Role.ROUTER_BIAS, experts),
                expertWeights,
                matrix(config, random, Role.GATE_UP_BIAS, experts, inner),
                matrix(config, random, Role.GATE_UP_BIAS, experts, inner),
                matrix(config, random, Role.DOWN_BIAS, experts, hidden));
    }

    private static float[] vector(ModelConfig config, SplittableRandom random, Role role, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            double value = role.mean() + role.deviation(config) * random.nextGaussian();
            values[i] = Encoding.roundToBF16((float) value);
        }
        return values;
    }

    private static Matrix matrix(ModelConfig config, SplittableRandom random, Role role, int rows, int columns) {
        return F32Matrix.of(rows, columns, vector(config, random, role, Math.multiplyExact(rows, columns)));
    }

    private static Matrix expertMatrix(ModelConfig config, SplittableRandom random, Role role, int rows, int columns) {
        float[] values = vector(config, random, role, Math.multiplyExact(rows, columns));
        byte[] codes = new byte[MxFp4.BLOCK];
        for (int at = 0; at < values.length; at += MxFp4.BLOCK) {
            float scale = MxFp4.scale(MxFp4.quantize(values, at, codes));
            for (int i = 0; i < MxFp4.BLOCK; i++) {
                values[at + i] = MxFp4.value(codes[i]) * scale;
            }
        }
        return F32Matrix.of(rows, columns, values);
    }

    /**
     * Streams a random model of any size into a GGUF file: random bits for codes, with scales that fit.
     *
     * @param vocabulary as many tokens as the configuration says; see {@link #placeholderVocabulary}
     */
    public static void writeGguf(
            Path file, ModelConfig config, Formats formats, GgufVocabulary vocabulary, long seed, Progress progress) {
        List<OutputTensor> tensors = GgufWriter.slots(config).stream()
                .map(slot -> {
                    NumberFormat format = slot.format(formats);
                    long bytes = format.bytes(OutputTensor.product(slot.shape()));
                    return new OutputTensor(slot.name(), format.name(), slot.shape(), bytes, out -> {
                        SplittableRandom random =
                                new SplittableRandom(seed * 31 + slot.name().hashCode());
                        writeRandom(
                                out,
                                format,
                                bytes,
                                slot.role().mean(),
                                slot.role().deviation(config),
                                random);
                    });
                })
                .toList();
        GgufWriter.write(file, config, tensors, vocabulary, progress);
    }

    private static void writeRandom(
            OutputStream out, NumberFormat format, long bytes, float mean, double deviation, SplittableRandom random)
            throws IOException {
        byte[] chunk = new byte[4096 * format.blockBytes()];
        for (long left = bytes; left > 0; left -= chunk.length) {
            random.nextBytes(chunk);
            int length = (int) Math.min(left, chunk.length);
            switch (format) {
                case MXFP4 -> setFp4Scales(chunk, deviation);
                case Q8_0 -> setQ8Scales(chunk, deviation);
                case F32, F16, BF16 -> setNumbers(chunk, format, mean, deviation);
                case Q2_K -> setScales(chunk, format, 80, 1.5, deviation);
                case Q3_K -> setScales(chunk, format, 108, 0, deviation);
                case Q4_0, IQ4_NL, IQ4_XS, Q5_0 -> setScales(chunk, format, 0, 0, deviation);
                case Q4_1 -> setScales(chunk, format, 0, -7.5, deviation);
                case Q5_1 -> setScales(chunk, format, 0, -15.5, deviation);
                case Q4_K -> setScales(chunk, format, 0, 7.5, deviation);
                case Q5_K -> setScales(chunk, format, 0, 15.5, deviation);
                case Q6_K -> setScales(chunk, format, 208, 0, deviation);
            }
            out.write(chunk, 0, length);
        }
    }

    /** Scales of two neighbouring powers of two, half of the blocks each, which average to what is wanted. */
    private static void setFp4Scales(byte[] blocks, double deviation) {
        double wanted = deviation / FP4_SIZE / Math.sqrt(2.5);
        int scale = 127 + (int) Math.round(Math.log(wanted) / Math.log(2));
        for (int at = 0; at < blocks.length; at += 17) {
            blocks[at] = (byte) (scale + (blocks[at] & 1));
        }
    }

    private static void setQ8Scales(byte[] blocks, double deviation) {
        for (int at = 0; at < blocks.length; at += 34) {
            double around = 0.75 + (blocks[at] & 255) / 512.0;
            SHORT.set(blocks, at, Float.floatToFloat16((float) (deviation / BYTE_SIZE * around)));
            for (int i = at + 2; i < at + 34; i++) {
                blocks[i] = (byte) Math.max(-127, blocks[i]); // quantisers never make -128
            }
        }
    }

    /**
     * Random codes are of all sizes: their blocks get the scale that brings them, all together, to the size that is wanted.
     *
     * @param at where a block has its scale; the offset follows
     * @param middle the offset in units of the scale that brings the mean to zero; 0 if the format has no offset
     */
    private static void setScales(byte[] blocks, NumberFormat format, int at, double middle, double deviation) {
        setScales(blocks, format, at, middle, 1f);
        int values = blocks.length / format.blockBytes() * format.blockLength();
        float[] row = new float[values];
        new QuantizedMatrix(format, 1, values, MemorySegment.ofArray(blocks), 0, 0).row(0, row, 0);
        double squares = 0;
        for (float value : row) {
            squares += value * (double) value;
        }
        setScales(blocks, format, at, middle, (float) (deviation / Math.sqrt(squares / values)));
    }

    private static void setScales(byte[] blocks, NumberFormat format, int at, double middle, float scale) {
        for (int block = 0; block < blocks.length; block += format.blockBytes()) {
            SHORT.set(blocks, block + at, Float.floatToFloat16(scale));
            if (middle != 0) {
                SHORT.set(blocks, block + at + 2, Float.floatToFloat16((float) (middle * scale)));
            }
        }
    }

    /** Evenly spread numbers in place of random bits. */
    private static void setNumbers(byte[] numbers, NumberFormat format, float mean, double deviation) {
        double halfWidth = Math.sqrt(3) * deviation;
        for (int at = 0; at < numbers.length; at += format.blockBytes()) {
            short bits = (short) SHORT.get(numbers, at);
            float value = (float) (mean + halfWidth * (bits / 32768.0));
            switch (format) {
                case F32 -> FLOAT.set(numbers, at, value);
                case F16 -> SHORT.set(numbers, at, Float.floatToFloat16(value));
                case BF16 ->
                    SHORT.set(numbers, at, (short) (Float.floatToRawIntBits(Encoding.roundToBF16(value)) >>> 16));
                default -> throw new IllegalStateException(format + " has blocks");
            }
        }
    }

    /**
     * Tokens that stand for themselves, for a model that is only to be measured: the 256 bytes in the characters of
     * byte-level BPE, then unused ones, the last of them the end of text.
     */
    public static GgufVocabulary placeholderVocabulary(int size) {
        List<String> tokens = new ArrayList<>();
        int[] types = new int[size];
        int unprintable = 0;
        for (int id = 0; id < size - 1; id++) {
            boolean isByte = id < 256;
            boolean printable = (id >= '!' && id <= '~') || (id >= 0xA1 && id <= 0xAC) || (id >= 0xAE && id <= 0xFF);
            tokens.add(
                    !isByte ? "<|unused_" + id + "|>" : String.valueOf((char) (printable ? id : 256 + unprintable++)));
            types[id] = isByte ? 1 : 5;
        }
        tokens.add("<|endoftext|>");
        types[size - 1] = 3;
        return new GgufVocabulary(
                "gpt2",
                "gpt-4o",
                List.copyOf(tokens),
                types,
                List.of(),
                OptionalInt.empty(),
                OptionalInt.of(size - 1),
                OptionalInt.empty());
    }
}
