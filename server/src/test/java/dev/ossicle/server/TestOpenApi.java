package dev.ossicle.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The description and the server say the same. */
@Timeout(60)
class TestOpenApi {
    private final Scripted scripted = new Scripted();

    TestOpenApi() throws IOException {}

    @AfterEach
    void close() {
        scripted.close();
    }

    @Test
    void everyRouteIsDescribedAndTheOtherWayRound() throws Exception {
        JsonNode description =
                new YAMLMapper().readTree(scripted.get("/openapi.yaml").body());
        TreeSet<String> described = new TreeSet<>();
        TreeSet<String> open = new TreeSet<>();
        for (var path : description.get("paths").properties()) {
            for (var operation : path.getValue().properties()) {
                if (!operation.getKey().equals("parameters")) {
                    String name = operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey();
                    described.add(name);
                    if (operation.getValue().has("security")) {
                        open.add(name);
                    }
                }
            }
        }
        TreeSet<String> routes = new TreeSet<>();
        TreeSet<String> withoutKey = new TreeSet<>();
        scripted.server.routes().forEach(route -> {
            String name = route.method() + " " + route.pattern().replace("...}", "}");
            routes.add(name);
            if (route.open()) {
                withoutKey.add(name);
            }
        });
        assertThat(described).isEqualTo(routes);
        assertThat(open).isEqualTo(withoutKey);
        for (JsonNode reference : description.findValues("$ref")) {
            String pointer = reference.asString().substring(1);
            assertThat(description.at(pointer).isMissingNode()).as(pointer).isFalse();
        }
    }

    @Test
    void everyRouteIsInTheDocumentation() throws Exception {
        String documentation = Files.readString(Path.of("../docs/api.md"));
        scripted.server
                .routes()
                .forEach(route ->
                        assertThat(documentation).contains(route.pattern().replace("...}", "}")));
    }

    @Test
    void metricsAreInTheDocumentation() throws Exception {
        scripted.says("Hi").ok("/v1/responses", "{\"input\": \"Hello\"}");
        String documentation = Files.readString(Path.of("../docs/api.md"));
        scripted.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("# TYPE ossicle_"))
                .map(line -> line.split(" ")[2])
                .filter(name -> !name.endsWith("_max")) // that of a timer
                .forEach(name -> assertThat(documentation).contains(name));
    }
}
