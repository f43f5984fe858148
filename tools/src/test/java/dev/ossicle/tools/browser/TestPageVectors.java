package dev.ossicle.tools.browser;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.Resources;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against what gpt-oss's own browser makes of the same pages: page_vectors.py beside the vectors. */
class TestPageVectors {
    static Stream<JsonObject> vectors() {
        return ((JsonArray) Json.parse(Resources.text(TestPageVectors.class, "pages.json")))
                .elements().stream().map(JsonObject.class::cast);
    }

    private static String string(JsonObject vector, String name) {
        return ((JsonString) requireNonNull(vector.get(name), name)).value();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void thePageIsTheSame(JsonObject vector) {
        String html = string(vector, "html");
        Page page = PageReader.read(html, string(vector, "url"), null);
        Map<String, String> links = new LinkedHashMap<>();
        ((JsonObject) requireNonNull(vector.get("links")))
                .members()
                .forEach((id, link) -> links.put(id, ((JsonString) link).value()));
        assertThat(page.text()).as(html).isEqualTo(string(vector, "text"));
        assertThat(page.title()).as(html).isEqualTo(string(vector, "title"));
        assertThat(page.links()).as(html).isEqualTo(links);
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void linesAreTheSame(JsonObject vector) {
        List<String> lines = ((JsonArray) requireNonNull(vector.get("lines")))
                .elements().stream().map(line -> ((JsonString) line).value()).toList();
        assertThat(Lines.wrap(string(vector, "text"))).isEqualTo(lines);
    }
}
