package dev.ossicle.cli;

import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.documents.DocumentFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a browser searches, as a command line names it: shared by all conversations until this is closed. */
final class BrowserTool implements AutoCloseable {
    private final DocumentFolder documents;

    private BrowserTool(DocumentFolder documents) {
        this.documents = documents;
    }

    /**
     * Opens it; a folder is read.
     *
     * @param where a folder of documents
     * @param err is told of progress
     */
    static BrowserTool open(String where, PrintWriter err) throws IOException, InterruptedException {
        if (where.isEmpty() || !Files.isDirectory(Path.of(where))) {
            throw new UsageException(
                    where.isEmpty()
                            ? "browser needs to know what to search: browser=FOLDER with your documents"
                            : "browser: " + where + " is no folder");
        }
        Progress progress = new Progress(err, "files", 0);
        DocumentFolder documents = DocumentFolder.open(Path.of(where), progress::update);
        progress.end();
        err.println("ossicle: " + where + ": " + documents.inventory());
        return new BrowserTool(documents);
    }

    /** For one conversation. */
    ToolSession session() {
        return new BrowserSession(documents, documents);
    }

    @Override
    public void close() throws IOException {
        documents.close();
    }
}
