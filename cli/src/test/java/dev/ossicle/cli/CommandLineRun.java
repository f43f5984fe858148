package dev.ossicle.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** One command, run in this JVM. */
record CommandLineRun(int status, String out, String err) {
    static CommandLineRun of(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new CommandLineRun(status, out.toString(), err.toString());
    }
}
