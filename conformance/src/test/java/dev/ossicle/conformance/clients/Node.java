package dev.ossicle.conformance.clients;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
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

    /** What is missing of package.json's; needs npm's registry. */
    static synchronized void install() throws IOException, InterruptedException {
        JsonObject wanted = (JsonObject) Json.parse(Files.readString(CLIENTS.resolve("package.json")));
        JsonObject packages = (JsonObject) requireNonNull(wanted.get("dependencies"));
        Path installed = CLIENTS.resolve("node_modules");
        if (!packages.members().keySet().stream().allMatch(name -> Files.exists(installed.resolve(name)))) {
            run(Map.of(), "npm", "install", "--no-audit", "--no-fund", "--no-package-lock");
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
