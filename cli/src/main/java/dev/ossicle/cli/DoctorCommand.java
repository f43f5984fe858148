package dev.ossicle.cli;

import dev.ossicle.cpu.ReadBandwidth;
import dev.ossicle.cpu.VectorWidth;
import dev.ossicle.engine.ModelRunnerProvider;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.tools.python.Sandbox;
import dev.ossicle.tools.python.Sandboxes;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What this machine can do, and what would be slow on it. */
@Command(
        name = "doctor",
        description = "Says what this machine has, how fast it reads memory, and what would be slow and why.",
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the spec before anything runs
    DoctorCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<String> advice = new ArrayList<>();
        int cores = Runtime.getRuntime().availableProcessors();
        Runtime.Version java = Runtime.version();
        row(out, "ossicle", Version.text());
        row(out, "java", java + ", " + System.getProperty("java.vm.name") + ", " + System.getProperty("java.vendor"));
        if (java.feature() == 25 && java.update() < 3) {
            advice.add("this JDK 25 has a fault in G1 that 25.0.3 mends (JDK-8377811): update it");
        }
        row(
                out,
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
        row(out, "cores", cores);
        long total = MachineMemory.total();
        row(
                out,
                "memory",
                Sizes.bytes(total)
                        + (MachineMemory.available().isPresent()
                                ? ", " + Sizes.bytes(MachineMemory.available().getAsLong()) + " available"
                                : ""));
        row(
                out,
                "java heap",
                "at most " + Sizes.bytes(Runtime.getRuntime().maxMemory()) + " (weights and cache are outside of it)");
        for (ModelRunnerProvider provider : ModelRunners.all()) {
            if (provider.name().equals("cpu") && provider.unavailable().isEmpty()) {
                VectorWidth.measure(); // as for a model of some size; its description says so
            }
            row(
                    out,
                    "device " + provider.name(),
                    provider.unavailable().map(why -> "no: " + why).orElse("yes: " + provider.description()));
            if (provider.isMissed()) {
                provider.unavailable()
                        .ifPresent(why -> advice.add("device " + provider.name() + " cannot be used: " + why));
            }
        }
        sandbox(out, advice);
        double one = ReadBandwidth.measure(1);
        double all = cores == 1 ? one : ReadBandwidth.measure(cores);
        row(out, "reading", Sizes.bytes(one) + "/s with one thread, " + Sizes.bytes(all) + "/s with " + cores);
        row(
                out,
                "to expect",
                String.format(
                        "at most %.1f tokens/s from gpt-oss-20b, %.1f from gpt-oss-120b (2.6 and 3.6 GB a token, Q8_0 dense"
                                + " weights)",
                        all / 2.6e9, all / 3.6e9));
        if (total < 16e9) {
            advice.add("gpt-oss-20b needs about 14 GB: it will be read from disk again and again");
        } else if (total < 70e9) {
            advice.add("gpt-oss-120b needs about 66 GB: on this machine it will be read from disk again and again");
        }
        for (String line : advice) {
            out.println("note: " + line);
        }
        return 0;
    }

    /** Found by running one, as everywhere. */
    private static void sandbox(PrintWriter out, List<String> advice) throws InterruptedException {
        for (Sandbox sandbox : Sandboxes.ALL) {
            Optional<String> problem = Sandboxes.problem(sandbox);
            if (problem.isEmpty()) {
                row(out, "tool python", "yes: in " + sandbox.name());
                return;
            }
            advice.add("the python tool cannot run in " + sandbox.name() + ": " + problem.get());
        }
        row(out, "tool python", "no");
    }

    private static void row(PrintWriter out, String name, Object value) {
        out.printf("%-17s %s%n", name, value);
    }
}
