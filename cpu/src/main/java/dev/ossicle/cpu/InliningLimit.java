package dev.ossicle.cpu;

import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * How much C2 may inline into one kernel. It counts how often the methods that it inlines were recompiled, each of them as often as
 * it inlines it, and from half of PerMethodRecompilationCutoff on (400, unless a flag says otherwise) trusts no profile of a call: what it cannot
 * tell for sure then, it calls, and vectors are boxed. A large kernel inlines a few methods of the JDK two hundred times, so one
 * that was recompiled once, anywhere in the program, is enough (bench/LOG.md, entry 36).
 */
final class InliningLimit {
    private static final String FLAG = "-XX:PerMethodRecompilationCutoff=";

    /** Far more than all that a kernel inlines. */
    private static final int ENOUGH = 10_000;

    /** What to give java. */
    static final String ADVICE = FLAG + ENOUGH;

    private static final boolean RAISED =
            isRaised(ManagementFactory.getRuntimeMXBean().getInputArguments());

    private InliningLimit() {}

    /** Whether large kernels can be counted on. */
    static boolean isRaised() {
        return RAISED;
    }

    /** @param arguments of the JVM; the last of a kind counts */
    static boolean isRaised(List<String> arguments) {
        return arguments.stream()
                .filter(argument -> argument.matches(FLAG + "\\d{1,9}"))
                .reduce((first, last) -> last)
                .filter(argument -> Integer.parseInt(argument.substring(FLAG.length())) >= ENOUGH)
                .isPresent();
    }
}
