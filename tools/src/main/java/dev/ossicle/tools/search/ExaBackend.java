package dev.ossicle.tools.search;

import static dev.ossicle.tools.search.Service.objects;
import static dev.ossicle.tools.search.Service.text;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.browser.Fetcher;
import dev.ossicle.tools.browser.PageSource;
import dev.ossicle.tools.browser.SearchBackend;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Exa (https://docs.exa.ai): searches, and brings pages from its own copy of the web. Thread-safe. */
public final class ExaBackend implements SearchBackend, PageSource, AutoCloseable {
    private final Service service;
    private final String base;

    /** @throws IllegalArgumentException if EXA_API_KEY is not in the environment */
    public ExaBackend(Map<String, String> environment) {
        this(environment, "https://api.exa.ai", Service.TIME);
    }

    ExaBackend(Map<String, String> environment, String base, Duration time) {
        String key = Service.key(environment, "EXA_API_KEY");
        service = new Service("ExaBackend", Map.of("x-api-key", key, "User-Agent", Fetcher.AGENT), time);
        this.base = base;
    }

    @Override
    public List<Hit> search(String query, int most) throws IOException, InterruptedException {
        JsonObject contents =
                JsonObject.builder().put("text", true).put("summary", true).build();
        JsonObject request = JsonObject.builder()
                .put("query", query)
                .put("numResults", most)
                .put("contents", contents)
                .build();
        return objects(service.post(URI.create(base + "/search"), request), "results").stream()
                .map(hit -> new Hit(text(hit, "title"), text(hit, "url"), text(hit, "summary")))
                .toList();
    }

    @Override
    public Document fetch(String url) throws IOException, InterruptedException {
        Fetcher.check(url);
        JsonObject request = JsonObject.builder()
                .put("urls", new JsonArray(List.of(new JsonString(url))))
                .put("text", JsonObject.builder().put("includeHtmlTags", true).build())
                .build();
        Json answer = service.post(URI.create(base + "/contents"), request);
        List<JsonObject> results = objects(answer, "results");
        if (results.isEmpty()) {
            throw new IOException("No contents returned for " + url);
        }
        JsonObject page = results.getFirst();
        return new Document(url, text(page, "title"), text(page, "text"), true);
    }

    @Override
    public void close() {
        service.close();
    }
}
