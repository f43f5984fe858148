package dev.ossicle.conformance;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The arrows of docs/architecture.md: a module uses only what its row allows. */
class TestArchitecture {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.ossicle");

    /** Module, and the modules that its own code may use. */
    private static final Map<String, List<String>> ARROWS = Map.ofEntries(
            Map.entry("json", List.of()),
            Map.entry("checkpoint", List.of("json")),
            Map.entry("harmony", List.of("json")),
            Map.entry("engine", List.of("checkpoint")),
            Map.entry("cpu", List.of("engine", "checkpoint")),
            Map.entry("cuda", List.of("engine", "checkpoint")),
            Map.entry("grammar", List.of("json", "harmony", "engine")),
            Map.entry("tools", List.of("json", "harmony")),
            Map.entry("models", List.of("json")),
            Map.entry("chat", List.of("json", "checkpoint", "harmony", "engine", "cpu", "grammar", "tools")),
            Map.entry("server", List.of("json", "checkpoint", "harmony", "engine", "cpu", "grammar", "tools", "chat")),
            Map.entry(
                    "cli",
                    List.of(
                            "json",
                            "checkpoint",
                            "harmony",
                            "engine",
                            "cpu",
                            "grammar",
                            "tools",
                            "chat",
                            "models",
                            "server")),
            Map.entry("train", List.of("json", "checkpoint", "harmony", "engine", "cpu", "grammar", "tools", "chat")),
            Map.entry("evals", List.of("json", "checkpoint", "harmony", "engine", "cpu", "grammar", "tools", "chat")));

    /** What runs on every JVM: no third-party library at run time. */
    private static final List<String> PLAIN =
            List.of("json", "checkpoint", "harmony", "engine", "cpu", "cuda", "grammar");

    @Test
    void everyModuleHasItsRow() {
        TreeSet<String> modules = CLASSES.stream()
                .map(c -> c.getPackageName().split("\\.")[2])
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(ARROWS.keySet()).containsAll(modules);
        assertThat(modules).contains("json", "checkpoint", "harmony", "engine", "cpu", "cuda", "cli", "train", "evals");
    }

    @Test
    void arrowsPointOnlyTheWayTheTableSays() {
        ARROWS.forEach((module, allowed) -> {
            List<String> forbidden = new ArrayList<>();
            for (String other : ARROWS.keySet()) {
                if (!other.equals(module) && !allowed.contains(other)) {
                    forbidden.add("dev.ossicle." + other + "..");
                }
            }
            noClasses()
                    .that()
                    .resideInAPackage("dev.ossicle." + module + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(forbidden.toArray(String[]::new))
                    .allowEmptyShould(true)
                    .check(CLASSES);
        });
    }

    @Test
    void librariesDependOnTheJdkAlone() {
        for (String module : PLAIN) {
            classes()
                    .that()
                    .resideInAPackage("dev.ossicle." + module + "..")
                    .should()
                    .onlyDependOnClassesThat(resideInAnyPackage(
                            "java..", "javax..", "jdk.incubator.vector..", "dev.ossicle..", "org.jspecify.."))
                    .allowEmptyShould(true)
                    .check(CLASSES);
        }
    }

    @Test
    void onlyTheCpuKernelsUseTheVectorApi() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.ossicle.cpu..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator.vector..")
                .check(CLASSES);
    }

    @Test
    void nobodyUsesUnsafeMemory() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("sun.misc..", "jdk.internal..")
                .check(CLASSES);
    }
}
