package dev.ossicle.tools.documents;

import dev.ossicle.tools.browser.PageSource;
import dev.ossicle.tools.browser.SearchBackend;
import dev.ossicle.tools.browser.Urls;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.jsoup.nodes.Entities;
import org.jspecify.annotations.Nullable;

/**
 * A folder of documents that a browser searches and opens. Its texts are found as they were when it was opened, and shown as
 * they are. Thread-safe: one for all conversations.
 *
 * <p>Documents have https URLs, since only links with a host get a marker in a page and since links between HTML documents
 * then resolve; the host is one that no public name server will ever know.
 */
public final class DocumentFolder implements SearchBackend, PageSource, AutoCloseable {
    /** Of all URLs; what it leads to lists the folder. */
    public static final String ROOT = "https://documents.internal/";

    /** Of a file that is searched. */
    public static final int MOST_BYTES = 8 << 20;

    private static final String HOST = "documents.internal";
    private static final int MOST_LISTED = 500;

    private final Path root;
    private final DocumentIndex index;
    private final TreeSet<String> paths;

    private DocumentFolder(Path root, DocumentIndex index) throws IOException {
        this.root = root;
        this.index = index;
        this.paths = index.paths();
    }

    /**
     * Reads the texts of a folder into memory.
     *
     * @throws IOException if there is no such folder
     */
    public static DocumentFolder open(Path folder, IndexProgress progress) throws IOException, InterruptedException {
        return open(realFolder(folder), new ByteBuffersDirectory(), progress);
    }

    /**
     * Reads what is new or has changed since the folder was last read into the same cache.
     *
     * @param cache a folder for indexes, one for each folder of documents; what is in them can be made anew
     * @throws IOException if there is no such folder, or another process writes the index at the moment
     */
    public static DocumentFolder open(Path folder, Path cache, IndexProgress progress)
            throws IOException, InterruptedException {
        Path root = realFolder(folder);
        Path place = cache.resolve(key(root));
        Files.createDirectories(place);
        if (place.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            // the index has the documents' words, which may be nobody else's to read
            Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwx------"));
        }
        return open(root, FSDirectory.open(place), progress);
    }

    private static DocumentFolder open(Path root, Directory directory, IndexProgress progress)
            throws IOException, InterruptedException {
        DocumentIndex index = null;
        try {
            index = DocumentIndex.open(root, directory, progress);
            return new DocumentFolder(root, index);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted();
            throw new InterruptedException();
        } finally {
            if (index == null) {
                directory.close();
            }
        }
    }

    private static Path realFolder(Path folder) throws IOException {
        try {
            Path root = folder.toRealPath();
            if (Files.isDirectory(root)) {
                return root;
            }
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(folder + " does not exist");
        }
        throw new NotDirectoryException(folder + " is no folder");
    }

    private static String key(Path root) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(root.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The bytes of a document, {@link #MOST_BYTES} at most. */
    static byte[] read(Path root, String path) throws IOException {
        Path file = root.resolve(path);
        if (!file.toRealPath().equals(file) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(path + " is no longer a file of the folder");
        }
        try (InputStream stream = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] bytes = stream.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException(path + " has more than " + MOST_BYTES + " bytes");
            }
            return bytes;
        }
    }

    /** What is in the folder, and what was left out. */
    public Inventory inventory() {
        return index.inventory();
    }

    @Override
    public List<Hit> search(String query, int most) throws IOException {
        return index.search(query, most).stream()
                .map(found -> new Hit(found.title(), url(found.path()), found.passage()))
                .toList();
    }

    private static String url(String path) {
        return ROOT + Urls.quote(path);
    }

    /** The file that a URL of this folder's stands for, as for a user who wants to open it; nothing if there is none. */
    public Optional<Path> file(String url) {
        String wanted = below(url);
        return wanted == null ? Optional.empty() : document(wanted).map(root::resolve);
    }

    @Override
    public Document fetch(String url) throws IOException {
        String wanted = below(url);
        if (wanted == null) {
            throw new IOException("only the documents below " + ROOT + " can be opened here");
        }
        Optional<String> path = document(wanted);
        if (path.isPresent()) {
            return read(path.get());
        }
        String folder = Urls.unquote(wanted.replaceAll("[?#].*", ""));
        return list(folder.isEmpty() || folder.endsWith("/") ? folder : folder + "/");
    }

    private Document read(String path) throws IOException {
        try {
            DocumentText text = DocumentText.of(path, read(root, path))
                    .orElseThrow(() -> new IOException(path + " has become a binary file"));
            return new Document(url(path), text.contents().title(), text.source(), text.html());
        } catch (NoSuchFileException e) {
            throw new IOException(path + " is gone", e);
        }
    }

    /** What of a URL, or of what a model takes for one, stands below the root; null if it is elsewhere. */
    private static @Nullable String below(String url) {
        String rest = url.strip();
        int scheme = rest.indexOf("://");
        if (scheme >= 0) {
            rest = rest.substring(scheme + 3);
        }
        if (rest.regionMatches(true, 0, HOST, 0, HOST.length())) {
            String path = rest.substring(HOST.length());
            if (path.isEmpty() || path.startsWith("/")) {
                return path.isEmpty() ? "" : path.substring(1);
            }
        }
        return scheme >= 0 ? null : rest.startsWith("/") ? rest.substring(1) : rest;
    }

    /** The document, whether its name is quoted as in a URL or written as it is. */
    private Optional<String> document(String wanted) {
        String path = wanted.replaceAll("[?#].*", "");
        Set<String> names = new LinkedHashSet<>(List.of(Urls.unquote(path), path, Urls.unquote(wanted), wanted));
        return names.stream().filter(paths::contains).findFirst();
    }

    private Document list(String folder) throws IOException {
        Set<String> names = new LinkedHashSet<>();
        for (String path : paths.tailSet(folder)) {
            if (!path.startsWith(folder)) {
                break;
            }
            int end = path.indexOf('/', folder.length());
            names.add(end < 0 ? path : path.substring(0, end + 1));
        }
        if (names.isEmpty() && !folder.isEmpty()) {
            throw new IOException("there is no document " + folder.substring(0, folder.length() - 1) + "; " + ROOT
                    + " lists what there is, and search finds it");
        }
        StringBuilder html = new StringBuilder("<h1>Documents</h1><ul>");
        names.stream()
                .limit(MOST_LISTED)
                .forEach(name -> html.append("<li><a href=\"")
                        .append(url(name))
                        .append("\">")
                        .append(Entities.escape(name.substring(folder.length())))
                        .append("</a></li>"));
        html.append("</ul>");
        if (names.size() > MOST_LISTED) {
            html.append("<p>and ").append(names.size() - MOST_LISTED).append(" more, which search finds</p>");
        }
        return new Document(url(folder), "Documents in /" + folder, html.toString(), true);
    }

    @Override
    public void close() throws IOException {
        index.close();
    }
}
