package dev.ossicle.server;

import static dev.ossicle.server.Scripted.array;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.json.Json;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.answer.McpServers;
import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of the page as they are served; what they do is tried in a browser (conformance, tag {@code clients}). */
@Timeout(60)
class TestWebPage {
    private static final Path FOLDER = Path.of("src/main/resources/dev/ossicle/server/web");
    private static final int MAX_BYTES = 500_000;

    private static final McpServer BOX = new McpServer(
            "box", McpAddress.Url.trusted(URI.create("http://127.0.0.1:9/mcp"), Map.of()), McpLimits.DEFAULT);

    private final Scripted scripted = new Scripted(
            ServerOptions.DEFAULT.withKeys(List.of("secret")),
            EngineOptions.DEFAULT,
            true,
            new BuiltIns(
                    Map.of("web_search", () -> {
                        throw new AssertionError("nobody searches");
                    }),
                    McpServers.of(List.of(BOX), false)));

    TestWebPage() throws IOException {}

    @AfterEach
    void close() {
        scripted.close();
    }

    private HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request = scripted.request(path);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return scripted.http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String header(HttpResponse<String> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    @Test
    void browsersGetThePageAndOthersALine() throws Exception {
        HttpResponse<String> page = get("/", "accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(header(page, "content-type")).startsWith("text/html");
        assertThat(page.body()).startsWith("<!doctype html>").contains("web/app.js");
        assertThat(header(page, "content-security-policy"))
                .contains("default-src 'none'", "script-src 'self';", "trusted-types 'none'")
                .doesNotContain("unsafe");
        for (String accept : List.of("*/*", "text/plain", "application/json")) {
            HttpResponse<String> line = get("/", "accept", accept);
            assertThat(line.body()).isEqualTo("Ossicle is running\n");
            assertThat(header(line, "vary")).isEqualTo("Accept");
        }
        assertThat(get("/").body()).isEqualTo("Ossicle is running\n");
    }

    @Test
    void everyFileIsServedWithoutAKeyAndKept() throws Exception {
        for (Path file : files()) {
            String path = "/web/" + FOLDER.relativize(file);
            if (!path.matches(".*\\.(js|css|svg)")) {
                assertThat(get(path).statusCode()).as(path).isEqualTo(404);
                continue;
            }
            HttpResponse<String> response = get(path);
            assertThat(response.statusCode()).as(path).isEqualTo(200);
            assertThat(response.body()).as(path).isEqualTo(Files.readString(file));
            String tag = header(response, "etag");
            assertThat(tag).matches("\"[0-9a-f]{32}\"");
            HttpResponse<String> again = get(path, "if-none-match", "\"other\", " + tag);
            assertThat(again.statusCode()).isEqualTo(304);
            assertThat(again.body()).isEmpty();
            assertThat(get(path, "if-none-match", "\"other\"").statusCode()).isEqualTo(200);
        }
        HttpResponse<String> head = scripted.http.send(
                scripted.request("/web/app.js").HEAD().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(Long.parseLong(header(head, "content-length"))).isEqualTo(Files.size(FOLDER.resolve("app.js")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/web/", "/web/nothing.js", "/web/WebPage.class", "/web/%2e%2e%2fopenapi.yaml",
                "/web/..%2fOssicleServer.class", "/web//etc/passwd", "/web/index.html", "/web/vendor"
            })
    void nothingElseIs(String path) throws Exception {
        assertThat(get(path).statusCode()).isIn(400, 404);
    }

    @Test
    void theApiStillWantsItsKeyAndNamesItsTools() throws Exception {
        assertThat(get("/v1/models").statusCode()).isEqualTo(401);
        assertThat(get("/metrics").statusCode()).isEqualTo(401);
        Json models =
                Json.parse(get("/v1/models", "authorization", "Bearer secret").body());
        assertThat(array(models, "tools"))
                .isEqualTo(array(
                        Json.parse("[{\"type\": \"web_search\"}, {\"type\": \"mcp\", \"server_label\": \"box\"}]")));
        assertThat(text(models, "data", 0, "id")).isEqualTo("gpt-oss-20b");
    }

    /** What others wrote is what VENDORED.md says, to the byte. */
    @Test
    void othersFilesAreThoseThatAreNamed() throws Exception {
        Map<String, String> named = new TreeMap<>();
        Matcher line = Pattern.compile("\\| `([^`]+\\.js)` \\|.*\\| `([0-9a-f]{64})` \\|")
                .matcher(Files.readString(FOLDER.resolve("vendor/VENDORED.md")));
        while (line.find()) {
            named.put(line.group(1), line.group(2));
        }
        Map<String, String> there = new TreeMap<>();
        for (Path file : files()) {
            if (file.startsWith(FOLDER.resolve("vendor")) && file.toString().endsWith(".js")) {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
                there.put(
                        FOLDER.resolve("vendor").relativize(file).toString(),
                        HexFormat.of().formatHex(digest));
            }
        }
        assertThat(there).isEqualTo(named);
    }

    @Test
    void allOfItIsSmall() throws Exception {
        long bytes = 0;
        for (Path file : files()) {
            bytes += Files.size(file);
        }
        assertThat(bytes).isLessThan(MAX_BYTES);
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(FOLDER)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
