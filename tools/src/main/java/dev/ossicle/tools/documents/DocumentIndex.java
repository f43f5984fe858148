package dev.ossicle.tools.documents;

import dev.ossicle.tools.documents.FolderFiles.Stamp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.Lock;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.jspecify.annotations.Nullable;

/** A folder's texts in a Lucene index: brought up to date once, then only searched, by any number of threads. */
final class DocumentIndex implements AutoCloseable {
    private static final String PATH = "path";
    private static final String BYTES = "bytes";
    private static final String MILLIS = "millis";
    private static final String TITLE = "title";
    private static final String NAME = "name";
    private static final String BODY = "body";

    /** What is written in the index's commits; another one is not read but made anew. */
    private static final Map<String, String> FORMAT = Map.of("ossicle.documents", "1");

    private static final int MOST_WORDS = 64;
    private static final int MOST_MATCHES = 10_000;
    private static final int NEAR = 6;
    private static final FieldType WITH_PLACES = withPlaces();

    /** Lucene tells of the processor's vectors, which is nothing to one who looks for a document. */
    private static final Logger LUCENE =
            Logger.getLogger("org.apache.lucene.internal.vectorization.PanamaVectorizationProvider");

    static {
        if (LUCENE.getLevel() == null) {
            LUCENE.setLevel(Level.WARNING);
        }
    }

    private final Directory directory;
    private final DirectoryReader reader;
    private final IndexSearcher searcher;
    private final Inventory inventory;

    /** Something found. */
    record Found(String path, String title, String passage) {}

    private DocumentIndex(Directory directory, Inventory inventory) throws IOException {
        this.directory = directory;
        this.inventory = inventory;
        reader = DirectoryReader.open(directory);
        searcher = new IndexSearcher(reader);
    }

    private static FieldType withPlaces() {
        FieldType type = new FieldType(TextField.TYPE_STORED);
        type.setIndexOptions(IndexOptions.DOCS_AND_FREQS_AND_POSITIONS_AND_OFFSETS);
        type.freeze();
        return type;
    }

    /** @param directory that is closed with this; what it has of files that have not changed is kept */
    static DocumentIndex open(Path root, Directory directory, IndexProgress progress)
            throws IOException, InterruptedException {
        FolderFiles files = FolderFiles.of(root);
        Inventory inventory;
        try {
            if (!isUsable(directory)) {
                clear(directory);
            }
            inventory = update(root, files, directory, progress);
        } catch (LockObtainFailedException e) {
            throw new IOException(
                    "another process is reading " + root + " into the same cache; try again once it is done", e);
        }
        return new DocumentIndex(directory, inventory);
    }

    private static Inventory update(Path root, FolderFiles files, Directory directory, IndexProgress progress)
            throws IOException, InterruptedException {
        try (Words words = Words.all();
                IndexWriter writer = new IndexWriter(directory, config(words))) {
            Update update = new Update(root, files, writer);
            try {
                update.run(progress);
            } finally {
                // what was read before an interruption need not be read again
                writer.setLiveCommitData(FORMAT.entrySet());
            }
            return update.inventory();
        }
    }

    /** Whether there is an index that this class has written, all of it whole. */
    private static boolean isUsable(Directory directory) {
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
            for (LeafReaderContext leaf : reader.leaves()) {
                leaf.reader().checkIntegrity();
            }
            return reader.getIndexCommit().getUserData().equals(FORMAT);
        } catch (IOException | RuntimeException e) {
            return false; // Lucene's readers throw both for files that they did not write
        }
    }

    /** It is only a cache. */
    private static void clear(Directory directory) throws IOException {
        try (Lock ignored = directory.obtainLock(IndexWriter.WRITE_LOCK_NAME)) {
            for (String file : directory.listAll()) {
                if (!file.equals(IndexWriter.WRITE_LOCK_NAME)) {
                    directory.deleteFile(file);
                }
            }
        }
    }

    private static IndexWriterConfig config(Words words) {
        return new IndexWriterConfig(words).setRAMBufferSizeMB(64).setMergeScheduler(new SerialMergeScheduler());
    }

    /** Makes an index what its folder is. */
    private static final class Update {
        private final Path root;
        private final FolderFiles files;
        private final IndexWriter writer;
        private int documents;
        private int read;
        private int removed;
        private int binary;
        private int large;

        Update(Path root, FolderFiles files, IndexWriter writer) {
            this.root = root;
            this.files = files;
            this.writer = writer;
        }

        Inventory inventory() {
            return new Inventory(documents, read, removed, binary, large, files.unreadable, files.links);
        }

        void run(IndexProgress progress) throws IOException, InterruptedException {
            Map<String, Stamp> known = known(writer);
            for (String path : known.keySet()) {
                if (!files.files.containsKey(path)) {
                    writer.deleteDocuments(new Term(PATH, path));
                    removed++;
                }
            }
            List<String> changed = new ArrayList<>();
            files.files.forEach((path, stamp) -> {
                if (stamp.equals(known.get(path))) {
                    documents++;
                } else {
                    changed.add(path);
                }
            });
            for (int i = 0; i < changed.size(); i++) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                progress.at(i, changed.size());
                String path = changed.get(i);
                put(path, known.containsKey(path));
            }
            progress.at(changed.size(), changed.size());
        }

        private void put(String path, boolean known) throws IOException {
            Optional<Document> document = document(path, files.files.get(path));
            if (document.isPresent()) {
                writer.updateDocument(new Term(PATH, path), document.get());
                documents++;
                read++;
            } else if (known) {
                writer.deleteDocuments(new Term(PATH, path));
                removed++;
            }
        }

        private Optional<Document> document(String path, @Nullable Stamp stamp) {
            if (stamp == null || stamp.bytes() > DocumentFolder.MOST_BYTES) {
                large++;
                return Optional.empty();
            }
            byte[] bytes;
            try {
                bytes = DocumentFolder.read(root, path);
            } catch (IOException e) {
                files.unreadable++;
                return Optional.empty();
            }
            Optional<DocumentText> text = DocumentText.of(path, bytes);
            if (text.isEmpty()) {
                binary++;
                return Optional.empty();
            }
            DocumentText.Contents contents = text.get().contents();
            Document document = new Document();
            document.add(new StringField(PATH, path, Field.Store.YES));
            document.add(new BinaryDocValuesField(PATH, new BytesRef(path)));
            document.add(new NumericDocValuesField(BYTES, stamp.bytes()));
            document.add(new NumericDocValuesField(MILLIS, stamp.millis()));
            document.add(new TextField(NAME, path, Field.Store.NO));
            document.add(new TextField(TITLE, contents.title(), Field.Store.YES));
            document.add(new Field(BODY, contents.words(), WITH_PLACES));
            return Optional.of(document);
        }
    }

    private static Map<String, Stamp> known(IndexWriter writer) throws IOException {
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
            return known(reader);
        }
    }

    private static Map<String, Stamp> known(DirectoryReader reader) throws IOException {
        Map<String, Stamp> known = new HashMap<>();
        for (LeafReaderContext leaf : reader.leaves()) {
            BinaryDocValues paths = leaf.reader().getBinaryDocValues(PATH);
            NumericDocValues bytes = leaf.reader().getNumericDocValues(BYTES);
            NumericDocValues millis = leaf.reader().getNumericDocValues(MILLIS);
            Bits live = leaf.reader().getLiveDocs();
            for (int i = 0; i < leaf.reader().maxDoc(); i++) {
                if ((live == null || live.get(i)) && paths.advanceExact(i)) {
                    bytes.advanceExact(i);
                    millis.advanceExact(i);
                    known.put(paths.binaryValue().utf8ToString(), new Stamp(bytes.longValue(), millis.longValue()));
                }
            }
        }
        return known;
    }

    Inventory inventory() {
        return inventory;
    }

    /** The documents' paths. */
    TreeSet<String> paths() throws IOException {
        return new TreeSet<>(known(reader).keySet());
    }

    /** What matches any word of a text, best first; the text has no syntax. */
    List<Found> search(String text, int most) throws IOException {
        Set<String> words = words(text);
        if (words.isEmpty() || most <= 0) {
            return List.of();
        }
        try {
            List<Found> found = new ArrayList<>();
            for (ScoreDoc hit : searcher.search(query(words), most).scoreDocs) {
                Document document = searcher.storedFields().document(hit.doc);
                String body = document.get(BODY);
                found.add(
                        new Found(document.get(PATH), document.get(TITLE), Passage.of(body, matches(hit.doc, words))));
            }
            return found;
        } catch (AlreadyClosedException e) {
            throw new IOException("the folder of documents is closed", e);
        }
    }

    private static Set<String> words(String text) {
        Set<String> telling = words(text, Words.telling());
        return telling.isEmpty() ? words(text, Words.all()) : telling;
    }

    private static Set<String> words(String text, Words parts) {
        Set<String> words = new LinkedHashSet<>();
        try (parts;
                TokenStream stream = parts.tokenStream(BODY, text)) {
            CharTermAttribute word = stream.addAttribute(CharTermAttribute.class);
            stream.reset();
            while (words.size() < MOST_WORDS && stream.incrementToken()) {
                words.add(word.toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return words;
    }

    private static Query query(Set<String> words) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (String word : words) {
            query.add(
                    new DisjunctionMaxQuery(
                            List.of(
                                    new TermQuery(new Term(BODY, word)),
                                    new BoostQuery(new TermQuery(new Term(TITLE, word)), 2),
                                    new TermQuery(new Term(NAME, word))),
                            0.3f),
                    Occur.SHOULD);
        }
        if (words.size() > 1) {
            query.add(new PhraseQuery(NEAR, BODY, words.toArray(String[]::new)), Occur.SHOULD);
        }
        return query.build();
    }

    /** Where a document has the words. */
    private List<Passage.Match> matches(int document, Set<String> words) throws IOException {
        LeafReaderContext leaf = reader.leaves().get(ReaderUtil.subIndex(document, reader.leaves()));
        List<Passage.Match> matches = new ArrayList<>();
        int number = 0;
        for (String word : words) {
            Term term = new Term(BODY, word);
            float weight = (float) Math.log(1.0 + (double) reader.maxDoc() / Math.max(1, reader.docFreq(term)));
            PostingsEnum places = leaf.reader().postings(term, PostingsEnum.OFFSETS);
            int local = document - leaf.docBase;
            if (places != null && places.advance(local) == local) {
                for (int i = Math.min(places.freq(), MOST_MATCHES); i > 0; i--) {
                    places.nextPosition();
                    matches.add(new Passage.Match(number, weight, places.startOffset(), places.endOffset()));
                }
            }
            number++;
        }
        matches.sort(Comparator.comparingInt(Passage.Match::start));
        return matches;
    }

    @Override
    public void close() throws IOException {
        reader.close();
        directory.close();
    }
}
