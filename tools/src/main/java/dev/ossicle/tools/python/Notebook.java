package dev.ossicle.tools.python;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** The program that is the interpreter: reads code, runs it, keeps its variables. */
final class Notebook {
    /** All that the interpreter sees of an environment. */
    static final Map<String, String> ENVIRONMENT = new TreeMap<>(Map.of(
            "PATH", "/usr/local/bin:/usr/bin:/bin",
            "HOME", "/tmp",
            "LANG", "C.UTF-8",
            "MPLBACKEND", "Agg",
            "MPLCONFIGDIR", "/tmp",
            "OPENBLAS_NUM_THREADS", "2",
            "OMP_NUM_THREADS", "2"));

    static final String PROGRAM = program();

    private Notebook() {}

    private static String program() {
        try (InputStream resource = Notebook.class.getResourceAsStream("notebook.py")) {
            if (resource == null) {
                throw new IllegalStateException("notebook.py is missing in the jar of ossicle-tools");
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
