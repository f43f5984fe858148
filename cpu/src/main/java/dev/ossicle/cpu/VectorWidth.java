package dev.ossicle.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import jdk.incubator.vector.FloatVector;

/**
 * How wide the vectors of all kernels are: what the property asks for, else what {@link #measure} found, else what the JVM
 * prefers. It is settled when the first kernel is loaded, since species must be constants for C2, and then for as long as
 * the JVM lives.
 *
 * <p>What is measured is {@link WidthProbe}. The timing takes milliseconds; until C2 has compiled the probe for a width, half
 * a second or more may pass.
 */
public final class VectorWidth {
    /** How fast the probe ran. */
    record Rate(int bits, double productsPerSecond) {}

    /**
     * What another width than the JVM's must gain. Widths may differ in the last bits of a result, so that it should not be
     * noise that chooses.
     */
    private static final double GAIN = 1.15;

    /** Products per second that nothing but compiled code reaches: the interpreter and boxed vectors stay far below. */
    private static final double COMPILED = 2e9;

    private static final long COMPILATION_LIMIT_NANOS = 1_500_000_000;

    /** Lines of a call: few while the probe is interpreted. */
    private static final int COLD_LINES = 4;

    private static final int HOT_LINES = 1024;
    private static final int ROUNDS = 20;

    /** What the probe did, the preferred width first; empty if it was not asked for, or there is nothing to choose from. */
    private static List<Rate> rates = List.of();

    /** What kernels are compiled for; 0 until the first of them is loaded. */
    private static int settled;

    private VectorWidth() {}

    /**
     * Measures the widths that this machine has, unless one is forced or kernels are loaded already. Takes up to a second or two,
     * nearly all of it compiling.
     */
    public static synchronized void measure() {
        if (settled == 0 && rates.isEmpty() && VectorBits.forced().isEmpty()) {
            rates = rates(available());
        }
    }

    /** The width to compile kernels for; the same from now on. */
    static synchronized int settle() {
        if (settled == 0) {
            settled = VectorBits.forced().orElseGet(() -> choose(preferred(), rates));
        }
        return settled;
    }

    /** The width and why it is that: 512 bits, measured: 512 bits 50.1, 256 bits 28.5 G products/s. */
    static synchronized String description() {
        String bits = settle() + " bits";
        if (VectorBits.forced().isPresent()) {
            return bits + ", forced";
        }
        if (rates.isEmpty()) {
            return bits;
        }
        return rates.stream()
                .map(rate -> String.format(Locale.ROOT, "%d bits %.1f", rate.bits(), rate.productsPerSecond() * 1e-9))
                .collect(Collectors.joining(", ", bits + ", measured: ", " G products/s"));
    }

    private static int preferred() {
        return Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
    }

    /** Widths that are native to this machine, the preferred one first: the JVM prefers the widest. */
    static List<Integer> available() {
        List<Integer> widths = new ArrayList<>();
        for (int bits = preferred(); bits >= 128; bits /= 2) {
            widths.add(bits);
        }
        return widths;
    }

    /** The preferred width, unless another one is faster by more than noise. */
    static int choose(int preferred, List<Rate> rates) {
        double best = 0;
        int chosen = preferred;
        for (Rate rate : rates) {
            double worth = rate.bits() == preferred ? GAIN * rate.productsPerSecond() : rate.productsPerSecond();
            if (worth > best) {
                best = worth;
                chosen = rate.bits();
            }
        }
        return chosen;
    }

    /**
     * How fast the probe is with each width, from the first on, until one is slower than the one before it: still narrower ones
     * would be so too. Nothing for a single width, or if the first two are not compiled in time.
     */
    static List<Rate> rates(List<Integer> widths) {
        WidthProbe probe = new WidthProbe();
        List<Rate> result = new ArrayList<>();
        for (int i = 0; i < widths.size() && widths.size() > 1; i++) {
            if (!isCompiled(probe, widths.get(i))) {
                break;
            }
            // All of them in turns, since a machine is not always as fast.
            double[] best = new double[i + 1];
            for (int round = 0; round < ROUNDS * best.length; round++) {
                int each = round % best.length;
                best[each] = Math.max(best[each], probe.productsPerSecond(widths.get(each), HOT_LINES));
            }
            if (Arrays.stream(best).anyMatch(rate -> rate < COMPILED)) {
                break; // the compiler thought better of it
            }
            result.clear();
            for (int each = 0; each <= i; each++) {
                result.add(new Rate(widths.get(each), best[each]));
            }
            if (i > 0 && best[i] < best[i - 1]) {
                break;
            }
        }
        return result.size() > 1 ? List.copyOf(result) : List.of();
    }

    /** Runs the probe until C2 has compiled it, or for too long. */
    private static boolean isCompiled(WidthProbe probe, int bits) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < COMPILATION_LIMIT_NANOS) {
            if (probe.productsPerSecond(bits, COLD_LINES) > COMPILED) {
                return true;
            }
        }
        return false;
    }
}
