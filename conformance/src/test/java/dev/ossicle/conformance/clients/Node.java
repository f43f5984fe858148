package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Programs in {@code conformance/clients}, with what its package.json names. */
final class Node {
    private static final Path CLIENTS = Path.of("clients");

    private Node() {}

    /** Once; needs npm's registry. */
    static synchronized void install() throws IOException, InterruptedException {
        if (!Files.exists(CLIENTS.resolve("node_modules/playwright-core"))) {
            assertThat(run(Map.of(), "npm", "install", "--no-audit", "--no-fund", "--no-package-lock"))
                    .contains("added");
        }
    }

    /** What a program prints; fails with it if the program does. */
    static String run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(CLIENTS.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        builder.redirectInput(new File("/dev/null"));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s printed:%n%s", List.of(command), output)
                .isZero();
        return output;
    }
}
