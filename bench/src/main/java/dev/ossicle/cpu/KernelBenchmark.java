package dev.ossicle.cpu;

import dev.ossicle.cpu.Strips.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The multiplications of a pass, in the shapes of gpt-oss: bytes of weights and multiplications per second, of each thread. In
 * the package of the kernels, which nobody else calls.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:PerMethodRecompilationCutoff=10000"
        })
@Warmup(iterations = 5, time = 2, timeUnit = TimeUnit.SECONDS) // C2 needs some seconds for these
@Measurement(iterations = 5, time = 2, timeUnit = TimeUnit.SECONDS)
public class KernelBenchmark {
    private static final int COLUMNS = 2880;
    /** Strips of about 100 kB: together far more than any cache holds. */
    private static final int STRIPS = 2048;

    /** Strips that are multiplied together, as the tasks of a pass do. */
    private static final int TASK = 8;

    /** Vectors of activations: 1 in decoding, 64 for an expert in a prompt of 512. */
    @Param({"1", "8", "64"})
    public int vectors;

    private final Arena arena = Arena.ofShared();
    private final StripMultiplier mxFp4 = new StripMultiplier();
    private final DenseStripMultiplier dense = new DenseStripMultiplier();
    private final PackedRows packed = new PackedRows();
    private final RoundedSlots rounded = new RoundedSlots(COLUMNS);
    private final Strips fp4Strips = strips(Format.MXFP4);
    private final Strips q8Strips = strips(Format.Q8_0);
    private final Strips bf16Strips = strips(Format.BF16);
    private float[] x = new float[0];
    private int[] xAt = new int[0];
    private float[] outA = new float[0];
    private float[] outB = new float[0];
    private int strip;

    /** Throughput in what the machine counts. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Rates {
        public long bytes;
        public long multiplications;
    }

    @Setup(Level.Trial)
    public void fill() {
        Random random = new Random(1);
        x = new float[vectors * COLUMNS];
        xAt = new int[vectors];
        rounded.grow(vectors);
        int[] buffer = new int[32];
        float[] lanes = new float[Lanes.WIDTH];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < vectors; i++) {
            xAt[i] = i * COLUMNS;
            for (int block = 0; block < COLUMNS / 32; block++) {
                rounded.set(x, xAt[i] + 32 * block, 0, vectors, i, block, buffer, lanes);
            }
        }
        packed.packAll(x, xAt, 0, vectors, COLUMNS);
        outA = new float[TASK * vectors * Strips.ROWS];
        outB = new float[TASK * vectors * Strips.ROWS];
    }

    private Strips strips(Format format) {
        long bytes = (long) STRIPS * (COLUMNS / 32) * format.blockBytes;
        MemorySegment data = SystemMemory.allocate(arena, bytes);
        byte[] block = new byte[format.blockBytes];
        new Random(2).nextBytes(block);
        // Scales that are numbers, in any format, or nothing but numbers.
        Arrays.fill(block, 0, format == Format.BF16 ? block.length : 4 * Strips.ROWS, (byte) 120);
        for (long at = 0; at < bytes; at += block.length) {
            MemorySegment.copy(block, 0, data, ValueLayout.JAVA_BYTE, at, block.length);
        }
        return new Strips(format, STRIPS, COLUMNS / 32, data, 0);
    }

    @TearDown(Level.Trial)
    public void free() {
        arena.close();
    }

    private int next(Rates rates, Format format) {
        strip = (strip == 0 ? STRIPS : strip) - TASK; // downwards, as a team claims its tasks
        rates.bytes += (long) TASK * (COLUMNS / 32) * format.blockBytes;
        rates.multiplications += (long) TASK * format.rows * COLUMNS * vectors;
        return strip;
    }

    /** Strips of an expert times rounded activations. */
    @Benchmark
    public float[] mxFp4(Rates rates) {
        mxFp4.multiply(fp4Strips, next(rates, Format.MXFP4), TASK, 0, vectors, rounded, outA, outB);
        return outA;
    }

    /** Strips of a dense matrix times float32 activations. */
    @Benchmark
    public float[] q8(Rates rates) {
        dense.multiply(q8Strips, next(rates, Format.Q8_0), TASK, x, xAt, 0, vectors, packed, outA);
        return outA;
    }

    /** The same of BF16. */
    @Benchmark
    public float[] bf16(Rates rates) {
        dense.multiply(bf16Strips, next(rates, Format.BF16), TASK, x, xAt, 0, vectors, packed, outA);
        return outA;
    }
}
