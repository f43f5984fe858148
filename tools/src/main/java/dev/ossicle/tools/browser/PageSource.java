package dev.ossicle.tools.browser;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Brings what stands behind a URL. */
public interface PageSource {
    /**
     * A document.
     *
     * @param url where it was found in the end, redirects followed: its links are relative to that
     * @param title or null, to take what an HTML document itself says
     * @param html whether the text is HTML; else it is shown as it is
     */
    record Document(String url, @Nullable String title, String text, boolean html) {}

    /** @throws IOException with a message for the model */
    Document fetch(String url) throws IOException, InterruptedException;
}
