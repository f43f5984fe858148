package dev.ossicle.tools.browser;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A page as the model sees it.
 *
 * @param url empty for a page of search results
 * @param text of the page, link markers in it
 * @param links where a link marker's id leads, by id
 * @param snippets of a page of finds only, else empty: by the id that stands in a hit's marker
 */
public record Page(String url, String title, String text, Map<String, String> links, Map<String, Snippet> snippets) {
    public Page {
        links = Collections.unmodifiableMap(new LinkedHashMap<>(links));
        snippets = Collections.unmodifiableMap(new LinkedHashMap<>(snippets));
    }

    /**
     * A hit.
     *
     * @param url of the page that has it
     * @param line of that page where it is
     */
    public record Snippet(String url, String text, String title, int line) {}
}
