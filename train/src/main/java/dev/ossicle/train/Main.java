package dev.ossicle.train;

import java.io.IOException;
import java.util.Arrays;

/** {@code ossicle train}: what can be trained, by name. */
public final class Main {
    private static final String USAGE = """
            Usage: ossicle train nano [options]
                   ossicle train questions

            nano: trains the small model that Ossicle embeds; 'ossicle train nano --help' lists the options.
            questions: writes the questions of 'ossicle eval nano' to standard output, a line of JSON each.
            """;

    private Main() {}

    public static void main(String[] args) throws IOException {
        if (args.length > 0 && args[0].equals("nano")) {
            TrainNano.main(Arrays.copyOfRange(args, 1, args.length));
            return;
        }
        if (args.length == 1 && args[0].equals("questions")) {
            Questions.lines().forEach(System.out::println);
            return;
        }
        boolean help = args.length > 0 && (args[0].equals("--help") || args[0].equals("-h"));
        if (help) {
            System.out.print(USAGE);
            return;
        }
        System.err.print(args.length == 0 ? USAGE : "ossicle train: unknown model " + args[0] + "\n" + USAGE);
        System.exit(2);
    }
}
