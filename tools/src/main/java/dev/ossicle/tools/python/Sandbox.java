package dev.ossicle.tools.python;

import java.util.List;

/** Where an interpreter runs: a way to start one that can harm nothing. */
public sealed interface Sandbox permits BubblewrapSandbox, DockerSandbox {
    /** "bubblewrap", "docker". */
    String name();

    /** What starts the interpreter, with the notebook program as its last argument; ends when its standard input does. */
    List<String> command(PythonLimits limits, String program);

    /** What to do on this kind of machine where the sandbox does not work. */
    String remedy();
}
