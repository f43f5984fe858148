package dev.ossicle.tools.python;

import dev.ossicle.tools.Resources;
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

    static final String PROGRAM = Resources.text(Notebook.class, "notebook.py");

    private Notebook() {}
}
