package dev.ossicle.cli;

import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.HarmonyProtocol;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Harmony for programs in any language. */
@Command(
        name = "harmony",
        description = "OpenAI's Harmony format: JSON lines on standard input, JSON lines on standard output.",
        versionProvider = Version.class)
final class HarmonyCommand implements Callable<Integer> {
    @Option(
            names = {"-h", "--help"},
            description = "Show the protocol and exit.")
    private boolean help;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the spec before anything runs
    HarmonyCommand() {}

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (help) {
            spec.commandLine().usage(out);
            out.println();
            out.print(HarmonyProtocol.HELP);
            return 0;
        }
        HarmonyProtocol protocol = new HarmonyProtocol(HarmonyEncoding.gptOss());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.isBlank()) {
                out.println(protocol.answer(line));
                out.flush();
            }
        }
        return 0;
    }
}
