package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page in a browser: {@code clients/web/scenarios.mjs} says what is tried. Needs Node, npm and Chromium. */
@Tag("clients")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class TestPage {
    private static final List<String> BROWSERS =
            List.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");

    private static String browser = "";

    @BeforeAll
    static void install() throws Exception {
        browser = System.getenv().getOrDefault("CHROMIUM", "");
        if (browser.isEmpty()) {
            browser = BROWSERS.stream()
                    .filter(path -> Files.isExecutable(Path.of(path)))
                    .findFirst()
                    .orElse("");
        }
        assumeTrue(!browser.isEmpty(), "no Chromium: install it, or name it in CHROMIUM");
        Node.install();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "converses",
                "keeps",
                "changesItsMind",
                "sets",
                "usesTools",
                "approves",
                "losesTheServer",
                "survivesHostileAnswers",
                "isAccessible",
                "isQuick",
                "isSeen"
            })
    void scenario(String name) throws Exception {
        tried(name, List.of());
    }

    @ParameterizedTest
    @ValueSource(strings = "needsAKey")
    void withAKey(String name) throws Exception {
        tried(name, List.of("secret"));
    }

    private static void tried(String name, List<String> keys) throws Exception {
        try (PageServer server = new PageServer(keys)) {
            String printed = Node.run(Map.of("CHROMIUM", browser), "node", "web.mjs", name, server.address());
            System.out.print(printed); // what was measured
            assertThat(printed).endsWith(name + " ok\n");
        }
    }
}
