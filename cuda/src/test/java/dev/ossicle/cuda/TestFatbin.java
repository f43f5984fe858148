package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whether the compiled kernels are those of the sources, and whether the compiler did with them what was meant. */
class TestFatbin {
    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final Path RESOURCES = Path.of("src/main/resources/dev/ossicle/cuda");
    private static final Path REPORT = Path.of("kernels.txt");
    private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90", "sm_100");

    /** What the compiler says of a kernel for one architecture. */
    private record Resources(String kernel, String architecture, int registers, int shared, int stack, int spilled) {}

    /** How often an instruction stands in a kernel's PTX. */
    private record Instructions(
            String kernel,
            int load16,
            int stream16,
            int copyAsync,
            int loadMatrices,
            int mma,
            int dependent,
            int local) {}

    @Test
    void theFatbinIsMadeOfTheseSources() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.sorted().toList()) {
                digest.update((file.getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
                digest.update(Files.readAllBytes(file));
            }
        }
        assertThat(Files.readString(RESOURCES.resolve("kernels.sha256")).strip())
                .as("kernels.fatbin is older than the sources: run cuda/build-kernels where nvcc is")
                .isEqualTo(HexFormat.of().formatHex(digest.digest()));
    }

    @Test
    void theFatbinIsOneAndSmall() throws IOException {
        byte[] fatbin = Files.readAllBytes(RESOURCES.resolve("kernels.fatbin"));
        assertThat(HexFormat.of().formatHex(fatbin, 0, 4)).isEqualTo("50ed55ba"); // its magic number
        assertThat(fatbin.length).isLessThan(1 << 20);
    }

    @Test
    void everyKernelIsThereForEveryArchitecture() throws IOException {
        Set<String> named = new TreeSet<>();
        Matcher calls = Pattern.compile("kernel\\(\\s*\"(\\w+)\"").matcher(mainSources());
        while (calls.find()) {
            named.add(calls.group(1));
        }
        Set<String> compiled =
                resources().stream().map(Resources::kernel).collect(Collectors.toCollection(TreeSet::new));
        assertThat(compiled).isNotEmpty().containsAll(named);
        for (String architecture : ARCHITECTURES) {
            assertThat(resources().stream()
                            .filter(r -> r.architecture().equals(architecture))
                            .map(Resources::kernel))
                    .containsExactlyInAnyOrderElementsOf(compiled);
        }
    }

    @Test
    void nothingSpillsToLocalMemory() throws IOException {
        for (Resources kernel : resources()) {
            assertThat(kernel.stack() + kernel.spilled()).as(kernel.toString()).isZero();
        }
        for (Instructions kernel : instructions()) {
            assertThat(kernel.local()).as(kernel.toString()).isZero();
        }
    }

    /** Weights by 16-byte loads, products on tensor cores, and the next kernel starting before the last block has ended. */
    @Test
    void decodingUsesTheInstructionsMeant() throws IOException {
        for (String name : List.of(
                "decode_qkv", "decode_out", "decode_gate_up", "decode_down", "decode_logits", "decode_attention")) {
            Instructions kernel = of(name);
            assertThat(kernel.stream16()).as(kernel.toString()).isPositive();
            assertThat(kernel.mma()).as(kernel.toString()).isPositive();
            assertThat(kernel.dependent()).as(kernel.toString()).isPositive();
        }
        assertThat(of("decode_router").load16()).isPositive();
    }

    @Test
    void prefillUsesTheInstructionsMeant() throws IOException {
        for (String name : List.of("gemm_f32", "gemm_add", "expert_gate_up", "expert_down", "prefill_attention")) {
            Instructions kernel = of(name);
            assertThat(kernel.copyAsync()).as(kernel.toString()).isPositive();
            assertThat(kernel.mma()).as(kernel.toString()).isPositive();
        }
    }

    private static Instructions of(String kernel) throws IOException {
        return instructions().stream()
                .filter(i -> i.kernel().equals(kernel))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no kernel " + kernel));
    }

    private static List<Resources> resources() throws IOException {
        return rows(6).map(w -> new Resources(w[0], w[1], number(w[2]), number(w[3]), number(w[4]), number(w[5])))
                .toList();
    }

    private static List<Instructions> instructions() throws IOException {
        return rows(8).map(w -> new Instructions(
                        w[0],
                        number(w[1]),
                        number(w[2]),
                        number(w[3]),
                        number(w[4]),
                        number(w[5]),
                        number(w[6]),
                        number(w[7])))
                .toList();
    }

    private static int number(String word) {
        return Integer.parseInt(word);
    }

    private static Stream<String[]> rows(int words) throws IOException {
        return Files.readAllLines(REPORT).stream()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split(" "))
                .filter(line -> line.length == words);
    }

    private static String mainSources() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                all.append(Files.readString(file));
            }
        }
        return all.toString();
    }
}
