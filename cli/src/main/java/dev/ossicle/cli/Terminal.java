package dev.ossicle.cli;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** Which standard streams are a terminal, and whether colours are wanted there. */
final class Terminal {
    static final boolean INPUT = isTerminal(0);
    static final boolean OUTPUT = isTerminal(1);
    static final boolean ERROR = isTerminal(2);

    /** See no-color.org. */
    static final boolean COLORS = isUnset("NO_COLOR") && !"dumb".equals(System.getenv("TERM"));

    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    private Terminal() {}

    /** Text for standard error that is dim where that can be shown. */
    static String dim(String text) {
        return ERROR && COLORS ? DIM + text + PLAIN : text;
    }

    private static boolean isUnset(String variable) {
        String value = System.getenv(variable);
        return value == null || value.isEmpty();
    }

    /** POSIX {@code int isatty(int fd)}; Windows' C library calls it {@code _isatty}. False where there is neither. */
    private static boolean isTerminal(int descriptor) {
        Linker linker = Linker.nativeLinker();
        var symbol = linker.defaultLookup().find("isatty");
        if (symbol.isEmpty()) {
            symbol = linker.defaultLookup().find("_isatty");
        }
        if (symbol.isEmpty()) {
            return false;
        }
        var isatty =
                linker.downcallHandle(symbol.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            return (int) isatty.invokeExact(descriptor) != 0;
        } catch (Throwable e) {
            throw new AssertionError("isatty does not throw", e);
        }
    }
}
