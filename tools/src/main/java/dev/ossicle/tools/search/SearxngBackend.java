package dev.ossicle.tools.search;

import static dev.ossicle.tools.search.Service.text;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.browser.Fetcher;
import dev.ossicle.tools.browser.SearchBackend;
import dev.ossicle.tools.browser.Urls;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An instance of SearXNG (https://docs.searxng.org/dev/search_api.html), often the operator's own. It only searches: pages are
 * brought by a {@link Fetcher}. Thread-safe.
 */
public final class SearxngBackend implements SearchBackend, AutoCloseable {
    private final Service service;
    private final String base;

    /**
     * An instance.
     *
     * @param url of its front page
     * @throws IllegalArgumentException if that is no http or https URL
     */
    public SearxngBackend(String url) {
        this(url, Service.TIME);
    }

    SearxngBackend(String url, Duration time) {
        base = base(url);
        service = new Service("SearxngBackend", Map.of("User-Agent", Fetcher.AGENT), time);
    }

    private static String base(String url) {
        try {
            URI uri = new URI(url.strip());
            if (uri.getHost() != null && String.valueOf(uri.getScheme()).matches("(?i)https?")) {
                String text = uri.getScheme() + "://" + uri.getRawAuthority() + uri.getRawPath();
                return text.replaceFirst("/+(?:search/?)?$", "");
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new IllegalArgumentException(
                "the URL of a SearXNG instance, such as http://localhost:8888, is not " + url);
    }

    @Override
    public List<Hit> search(String query, int most) throws IOException, InterruptedException {
        Json answer;
        try {
            answer = service.get(URI.create(base + "/search?q=" + Urls.quote(query) + "&format=json"));
        } catch (IOException e) {
            String message = String.valueOf(e.getMessage());
            if (message.startsWith("SearxngBackend error 403")) {
                throw new IOException(
                        "SearxngBackend error 403: the instance does not answer in JSON; its settings.yml must list json"
                                + " under search.formats",
                        e);
            }
            throw e;
        }
        List<JsonObject> results = Service.objects(answer, "results");
        return results.stream()
                .limit(most)
                .map(hit -> new Hit(text(hit, "title"), text(hit, "url"), text(hit, "content")))
                .toList();
    }

    @Override
    public void close() {
        service.close();
    }
}
