package dev.ossicle.tools.search;

import static dev.ossicle.tools.search.Service.objects;
import static dev.ossicle.tools.search.Service.text;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.PythonStrings;
import dev.ossicle.tools.browser.Fetcher;
import dev.ossicle.tools.browser.PageSource;
import dev.ossicle.tools.browser.SearchBackend;
import dev.ossicle.tools.browser.Urls;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** You.com (https://documentation.you.com): searches web and news, and brings pages. Thread-safe. */
public final class YouComBackend implements SearchBackend, PageSource, AutoCloseable {
    private final Service service;
    private final String base;

    /** @throws IllegalArgumentException if YDC_API_KEY is not in the environment */
    public YouComBackend(Map<String, String> environment) {
        this(environment, "https://api.ydc-index.io", Service.TIME);
    }

    YouComBackend(Map<String, String> environment, String base, Duration time) {
        String key = Service.key(environment, "YDC_API_KEY");
        service = new Service("YouComBackend", Map.of("x-api-key", key, "User-Agent", Fetcher.AGENT), time);
        this.base = base;
    }

    @Override
    public List<Hit> search(String query, int most) throws IOException, InterruptedException {
        URI uri = URI.create(base + "/v1/search?query=" + Urls.quote(query) + "&count=" + most);
        Json results = service.get(uri) instanceof JsonObject answer ? answer.present("results") : null;
        List<Hit> hits = new ArrayList<>();
        for (JsonObject hit : objects(results, "web")) {
            hits.add(new Hit(text(hit, "title"), text(hit, "url"), snippets(hit)));
        }
        for (JsonObject hit : objects(results, "news")) {
            hits.add(new Hit(text(hit, "title"), text(hit, "url"), text(hit, "description")));
        }
        return hits;
    }

    /** As gpt-oss was shown them. */
    private static String snippets(JsonObject hit) {
        List<String> snippets = new ArrayList<>();
        if (hit.present("snippets") instanceof JsonArray array) {
            for (Json element : array.elements()) {
                if (element instanceof JsonString snippet) {
                    snippets.add(snippet.value());
                }
            }
        }
        return PythonStrings.representation(snippets);
    }

    @Override
    public Document fetch(String url) throws IOException, InterruptedException {
        Fetcher.check(url);
        JsonObject request = JsonObject.builder()
                .put("urls", new JsonArray(List.of(new JsonString(url))))
                .put("livecrawl_formats", "html")
                .build();
        List<JsonObject> pages = objects(service.post(URI.create(base + "/v1/contents"), request));
        if (pages.isEmpty()) {
            throw new IOException("No contents returned for " + url);
        }
        String html = text(pages.getFirst(), "html");
        if (html.isEmpty()) {
            throw new IOException("No HTML returned for " + url);
        }
        return new Document(url, text(pages.getFirst(), "title"), html, true);
    }

    @Override
    public void close() {
        service.close();
    }
}
