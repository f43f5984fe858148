package dev.ossicle.tools.browser;

import java.io.IOException;
import java.util.List;

/** Finds pages: over the network, or in a folder. */
public interface SearchBackend {
    /** What was found, by rank. */
    record Hit(String title, String url, String summary) {}

    /** @throws IOException with a message for the model */
    List<Hit> search(String query, int most) throws IOException, InterruptedException;
}
