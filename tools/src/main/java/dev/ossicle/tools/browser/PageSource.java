package dev.ossicle.tools.browser;

import java.io.IOException;

/** Brings what stands behind a URL. */
public interface PageSource {
    /**
     * A document.
     *
     * @param html whether the text is HTML; else it is shown as it is
     */
    record Document(String text, boolean html) {}

    /** @throws IOException with a message for the model */
    Document fetch(String url) throws IOException, InterruptedException;
}
