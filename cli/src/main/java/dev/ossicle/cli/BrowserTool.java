package dev.ossicle.cli;

import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.browser.FetchLimits;
import dev.ossicle.tools.browser.Fetcher;
import dev.ossicle.tools.browser.PageSource;
import dev.ossicle.tools.browser.SearchBackend;
import dev.ossicle.tools.documents.DocumentFolder;
import dev.ossicle.tools.search.ExaBackend;
import dev.ossicle.tools.search.SearxngBackend;
import dev.ossicle.tools.search.YouComBackend;
import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a browser searches and opens, as a command line names it: shared by all conversations until this is closed. */
final class BrowserTool implements AutoCloseable {
    /** In words, for those who name none. */
    static final String CHOICES =
            "browser=FOLDER for your documents, browser=URL for an instance of SearXNG, browser=exa"
                    + " with a key in EXA_API_KEY, browser=youcom with one in YDC_API_KEY";

    private final SearchBackend search;
    private final PageSource pages;
    private final Closeable open;

    private BrowserTool(SearchBackend search, PageSource pages, Closeable open) {
        this.search = search;
        this.pages = pages;
        this.open = open;
    }

    /**
     * Opens it; a folder is read.
     *
     * @param where one of {@link #CHOICES}, without {@code browser=}
     * @param err is told of progress
     */
    static BrowserTool open(String where, PrintWriter err) throws IOException, InterruptedException {
        try {
            if (where.equals("exa")) {
                ExaBackend exa = new ExaBackend(System.getenv());
                return new BrowserTool(exa, exa, exa::close);
            }
            if (where.equals("youcom")) {
                YouComBackend youCom = new YouComBackend(System.getenv());
                return new BrowserTool(youCom, youCom, youCom::close);
            }
            if (where.startsWith("http://") || where.startsWith("https://")) {
                SearxngBackend instance = new SearxngBackend(where);
                Fetcher fetcher = new Fetcher(FetchLimits.DEFAULT);
                return new BrowserTool(instance, fetcher, () -> {
                    instance.close();
                    fetcher.close();
                });
            }
        } catch (IllegalArgumentException e) {
            throw new UsageException("browser: " + Main.message(e));
        }
        if (where.isEmpty()) {
            throw new UsageException("browser needs to know what to search: " + CHOICES);
        }
        if (!Files.isDirectory(Path.of(where))) {
            throw new UsageException("browser: " + where + " is no folder; " + CHOICES);
        }
        Progress progress = new Progress(err, "files", 0);
        DocumentFolder documents = DocumentFolder.open(Path.of(where), progress::update);
        progress.end();
        err.println("ossicle: " + where + ": " + documents.inventory());
        return new BrowserTool(documents, documents, documents::close);
    }

    /** For one conversation. */
    ToolSession session() {
        return new BrowserSession(search, pages);
    }

    @Override
    public void close() throws IOException {
        open.close();
    }
}
