package dev.ossicle.tools.documents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.browser.SearchBackend.Hit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders made up for each test. */
class TestDocumentFolder {
    @TempDir
    Path folder;

    @TempDir
    Path cache;

    private void write(String name, String text) throws IOException {
        write(name, text.getBytes(StandardCharsets.UTF_8));
    }

    private void write(String name, byte[] bytes) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
    }

    private DocumentFolder open() throws IOException, InterruptedException {
        return DocumentFolder.open(folder, IndexProgress.NONE);
    }

    private DocumentFolder cached() throws IOException, InterruptedException {
        return DocumentFolder.open(folder, cache, IndexProgress.NONE);
    }

    private static List<String> urls(DocumentFolder documents, String query) throws IOException {
        return documents.search(query, 20).stream().map(Hit::url).toList();
    }

    private static List<String> names(DocumentFolder documents, String query) throws IOException {
        return urls(documents, query).stream()
                .map(url -> url.substring(DocumentFolder.ROOT.length()))
                .toList();
    }

    @Test
    void aConversationSearchesOpensAndFollowsLinks() throws IOException, InterruptedException {
        write("a guide.html", "<title>The guide</title><p>Turn the <a href='deep/valve%20b.md'>valve</a> slowly.");
        write("deep/valve b.md", "# The valve\n\nIt opens at 4 bar.\n");
        write("other.txt", "Nothing of the kind.\n");
        try (DocumentFolder documents = open();
                BrowserSession browser = new BrowserSession(documents, documents)) {
            assertThat(browser.call("search", "{\"query\": \"how do I turn valves?\"}")
                            .text())
                    .contains("* \u30100\u2020The valve\u2020documents.internal\u3011 # The valve It opens at 4 bar.")
                    .contains("* \u30101\u2020The guide\u2020documents.internal\u3011 Turn the valve slowly.")
                    .doesNotContain("other");
            assertThat(browser.call("open", "{\"id\": 1}").text())
                    .startsWith("[1] The guide (https://documents.internal/a guide.html)")
                    .contains("Turn the \u30100\u2020valve\u3011 slowly.");
            assertThat(browser.call("open", "{\"id\": 0}").text())
                    .contains("deep/valve b.md)")
                    .contains("It opens at 4 bar.");
            assertThat(browser.call("open", "{\"id\": \"https://documents.internal/deep/valve b.md\"}")
                            .text())
                    .contains("It opens at 4 bar.");
            assertThat(browser.call("find", "{\"pattern\": \"4 bar\"}").text()).contains("match at L4");
            assertThat(browser.call("open", "{\"id\": \"https://documents.internal/\"}")
                            .text())
                    .contains("* \u30100\u2020a guide.html\u3011")
                    .contains("\u30101\u2020deep/\u3011");
            assertThat(browser.call("open", "{\"id\": 1}").text()).contains("\u30100\u2020valve b.md\u3011");
            assertThat(browser.call("open", "{\"id\": \"https://example.com/\"}")
                            .text())
                    .contains("only the documents below");
            assertThat(documents.file("https://documents.internal/a%20guide.html"))
                    .contains(folder.toRealPath().resolve("a guide.html"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://documents.internal/deep/b%23c%3Fd.md",
                "http://DOCUMENTS.internal/deep/b%23c%3Fd.md#L3",
                "documents.internal/deep/b%23c%3Fd.md",
                "deep/b#c?d.md",
                "/deep/b#c?d.md",
                " https://documents.internal/deep/b#c?d.md "
            })
    void aDocumentIsOpenedHoweverItIsNamed(String url) throws IOException, InterruptedException {
        write("deep/b#c?d.md", "found");
        try (DocumentFolder documents = open()) {
            assertThat(documents.fetch(url).text()).isEqualTo("found");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://documents.internal/../secret.txt",
                "https://documents.internal/%2e%2e/secret.txt",
                "https://documents.internal/..%2Fsecret.txt",
                "../secret.txt",
                "/etc/passwd",
                "file:///etc/passwd",
                "https://documents.internal/.hidden/x.txt",
                "https://documents.internal/link.txt",
                "https://documents.internal/links/x.txt",
                "https://documents.internal.example.com/a.txt",
                "https://documents.internal@example.com/a.txt",
                "https://documents.internal:443/a.txt",
                "https://documents.internal/\0"
            })
    void nothingElseIsOpened(String url) throws IOException, InterruptedException {
        Path inside = folder.resolve("inside");
        Files.createDirectories(inside.resolve(".hidden"));
        Files.writeString(inside.resolve("a.txt"), "secret word");
        Files.writeString(inside.resolve(".hidden/x.txt"), "secret word");
        Files.writeString(inside.resolve(".x.txt"), "secret word");
        Files.writeString(folder.resolve("secret.txt"), "secret word");
        Files.createSymbolicLink(inside.resolve("link.txt"), folder.resolve("secret.txt"));
        Files.createSymbolicLink(inside.resolve("links"), inside.resolve(".hidden"));
        Files.createSymbolicLink(inside.resolve("round"), inside);
        try (DocumentFolder documents = DocumentFolder.open(inside, IndexProgress.NONE)) {
            assertThatThrownBy(() -> documents.fetch(url)).isInstanceOf(IOException.class);
            assertThat(names(documents, "secret")).containsExactly("a.txt");
            assertThat(documents.inventory()).isEqualTo(new Inventory(1, 1, 0, 0, 0, 0, 3));
        }
    }

    @Test
    void aFileThatBecameALinkIsNotRead() throws IOException, InterruptedException {
        write("in/a.txt", "harmless");
        write("secret.txt", "secret");
        try (DocumentFolder documents = DocumentFolder.open(folder.resolve("in"), IndexProgress.NONE)) {
            Files.delete(folder.resolve("in/a.txt"));
            assertThatThrownBy(() -> documents.fetch("a.txt")).hasMessageContaining("a.txt is gone");
            Files.createSymbolicLink(folder.resolve("in/a.txt"), folder.resolve("secret.txt"));
            assertThatThrownBy(() -> documents.fetch("a.txt")).hasMessageContaining("no longer a file");
        }
    }

    @Test
    void textsAreToldFromOtherFiles() throws IOException, InterruptedException {
        byte[] latin = "Grüße aus Köln".getBytes(StandardCharsets.ISO_8859_1);
        write("latin.txt", latin);
        write("utf8.txt", "Grüße aus Bonn");
        write("bom.txt", "\uFEFFGrüße aus Ulm");
        write("utf16.txt", "\uFEFFGrüße aus Hof".getBytes(StandardCharsets.UTF_16LE));
        write("utf16be.txt", "Grüße aus Rom".getBytes(StandardCharsets.UTF_16));
        write("script", "#!/bin/sh\necho Grüße\n");
        write("page", "<!-- x -->\n<!DOCTYPE html><title>Seite</title>Grüße");
        write("empty.txt", "");
        write("image.png", new byte[] {(byte) 0x89, 'P', 'N', 'G', 0, 0, 1});
        write("paper.pdf", "%PDF-1.7 Grüße");
        write("large.txt", new byte[DocumentFolder.MOST_BYTES + 1]);
        try (DocumentFolder documents = open()) {
            assertThat(names(documents, "grusse"))
                    .containsExactlyInAnyOrder(
                            "latin.txt", "utf8.txt", "bom.txt", "utf16.txt", "utf16be.txt", "script", "page");
            assertThat(documents.fetch("latin.txt").text()).isEqualTo("Grüße aus Köln");
            assertThat(documents.fetch("bom.txt").text()).isEqualTo("Grüße aus Ulm");
            assertThat(documents.fetch("utf16.txt").text()).isEqualTo("Grüße aus Hof");
            assertThat(documents.fetch("utf16be.txt").text()).isEqualTo("Grüße aus Rom");
            assertThat(documents.fetch("page").html()).isTrue();
            assertThat(documents.search("Seite", 1).getFirst().title()).isEqualTo("Seite");
            assertThat(documents.inventory()).isEqualTo(new Inventory(8, 8, 0, 2, 1, 0, 0));
            assertThat(documents.inventory().toString())
                    .isEqualTo("8 documents, 8 of them new or changed, 2 binary files skipped, "
                            + "1 skipped as larger than 8 MiB");
        }
    }

    @Test
    void wordsMatchAcrossEndingsCaseAccentsAndScripts() throws IOException, InterruptedException {
        write("en.txt", "She was Running the company's databases");
        write("code.txt", "call http_client.send(request)");
        write("zh.txt", "我们在北京大学学习计算机科学");
        write("ja.txt", "東京タワーは高いです");
        write("ru.txt", "Быстрая лиса");
        write("fr.txt", "Élève à l\u2019école");
        try (DocumentFolder documents = open()) {
            assertThat(names(documents, "run database")).containsExactly("en.txt");
            assertThat(names(documents, "company")).containsExactly("en.txt");
            assertThat(names(documents, "client")).containsExactly("code.txt");
            assertThat(names(documents, "计算机")).containsExactly("zh.txt");
            assertThat(names(documents, "タワー")).containsExactly("ja.txt");
            assertThat(names(documents, "ЛИСА")).containsExactly("ru.txt");
            assertThat(names(documents, "eleve")).containsExactly("fr.txt");
        }
    }

    @Test
    void titlesAndNamesCountForMore() throws IOException, InterruptedException {
        write("a.md", "# Cooking\n\n" + "The garden and the kitchen. ".repeat(3));
        write("b.md", "# Garden\n\nFlowers and such things, and more of them. ".repeat(2));
        write("garden/c.md", "Tools and sheds are described.");
        write("d.rst", "======\nGarden\n======\n\nGarden walls.");
        try (DocumentFolder documents = open()) {
            assertThat(names(documents, "garden")).hasSize(4).startsWith("d.rst", "b.md");
            assertThat(documents.search("garden", 1).getFirst().title()).isEqualTo("Garden");
            assertThat(documents.search("garden", 2)).hasSize(2);
            assertThat(documents.search("garden", 0)).isEmpty();
        }
    }

    @Test
    void theSummaryIsTheBestPassage() throws IOException, InterruptedException {
        String filler = "This sentence speaks of the weather in general. ".repeat(200);
        write("long.txt", filler + "The pump fails at 80 degrees. Replace its seal at once. " + filler);
        try (DocumentFolder documents = open()) {
            String summary = documents
                    .search("when does the pump's seal fail?", 5)
                    .getFirst()
                    .summary();
            assertThat(summary)
                    .startsWith("... The pump fails at 80 degrees. Replace its seal at once.")
                    .endsWith(" ...")
                    .hasSizeLessThan(340);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "*",
                "?",
                "AND OR NOT",
                "a AND (",
                "\"unclosed",
                "field:x",
                "[1 TO",
                "a^",
                "~",
                "\\",
                "!",
                "the",
                "\0\uFFFF",
                "\uD83D",
                "+-&&||!(){}[]^\"~*?:\\/"
            })
    void aQueryHasNoSyntax(String query) throws IOException, InterruptedException {
        write("a.txt", "a field of the and or not");
        try (DocumentFolder documents = open()) {
            assertThat(documents.search(query, 20)).hasSizeLessThanOrEqualTo(1);
        }
    }

    @Test
    void aLongQueryIsCut() throws IOException, InterruptedException {
        write("a.txt", "word1 word2");
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            query.append(" word").append(i);
        }
        try (DocumentFolder documents = open()) {
            assertThat(names(documents, query.toString())).containsExactly("a.txt");
        }
    }

    @Test
    void anEmptyFolderIsFineNoFolderIsNot() throws IOException, InterruptedException {
        try (DocumentFolder documents = open()) {
            assertThat(documents.search("x", 20)).isEmpty();
            assertThat(documents.fetch(DocumentFolder.ROOT).html()).isTrue();
        }
        write("file", "x");
        assertThatThrownBy(() -> DocumentFolder.open(folder.resolve("file"), IndexProgress.NONE))
                .hasMessageContaining("is no folder");
        assertThatThrownBy(() -> DocumentFolder.open(folder.resolve("none"), IndexProgress.NONE))
                .hasMessageContaining("does not exist");
    }

    @Test
    void onlyWhatChangedIsReadAgain() throws IOException, InterruptedException {
        write("a.txt", "apple");
        write("b.txt", "banana");
        write("c.txt", "cherry");
        try (DocumentFolder documents = cached()) {
            assertThat(documents.inventory()).isEqualTo(new Inventory(3, 3, 0, 0, 0, 0, 0));
        }
        try (DocumentFolder documents = cached()) {
            assertThat(documents.inventory()).isEqualTo(new Inventory(3, 0, 0, 0, 0, 0, 0));
            assertThat(names(documents, "banana")).containsExactly("b.txt");
        }
        write("a.txt", "avocado");
        write("d.txt", "date");
        Files.delete(folder.resolve("b.txt"));
        write("c.txt", new byte[] {0, 1, 2});
        Files.setLastModifiedTime(folder.resolve("a.txt"), FileTime.fromMillis(1000));
        try (DocumentFolder documents = cached()) {
            assertThat(documents.inventory()).isEqualTo(new Inventory(2, 2, 2, 1, 0, 0, 0));
            assertThat(names(documents, "apple")).isEmpty();
            assertThat(names(documents, "banana cherry")).isEmpty();
            assertThat(names(documents, "avocado date")).containsExactlyInAnyOrder("a.txt", "d.txt");
        }
        try (var places = Files.list(cache)) {
            assertThat(places).hasSize(1);
        }
    }

    @Test
    void aBrokenCacheIsMadeAnew() throws IOException, InterruptedException {
        write("a.txt", "apple");
        cached().close();
        Map<Path, byte[]> files = new TreeMap<>();
        try (var walk = Files.walk(cache)) {
            for (Path file : walk.filter(Files::isRegularFile)
                    .filter(file -> !file.endsWith("write.lock"))
                    .toList()) {
                files.put(file, Files.readAllBytes(file));
            }
        }
        for (Path file : files.keySet()) {
            byte[] whole = files.get(file);
            restore(files);
            Files.delete(file);
            cached().close();
            for (byte[] broken : List.of(new byte[0], new byte[] {1, 2, 3}, flipped(whole))) {
                restore(files);
                Files.write(file, broken);
                try (DocumentFolder documents = cached()) {
                    assertThat(names(documents, "apple")).as(file.toString()).containsExactly("a.txt");
                }
            }
        }
    }

    private static byte[] flipped(byte[] bytes) {
        byte[] flipped = bytes.clone();
        for (int i = 0; i < flipped.length; i += 7) {
            flipped[i] ^= 0x55;
        }
        return flipped;
    }

    private static void restore(Map<Path, byte[]> files) throws IOException {
        try (var now = Files.list(files.keySet().iterator().next().getParent())) {
            for (Path file : now.toList()) {
                Files.delete(file);
            }
        }
        for (Map.Entry<Path, byte[]> file : files.entrySet()) {
            Files.write(file.getKey(), file.getValue());
        }
    }

    @Test
    void twoProcessesDoNotWriteOneCache() throws IOException, InterruptedException {
        write("a.txt", "apple");
        List<Throwable> failures = new ArrayList<>();
        DocumentFolder.open(folder, cache, (files, of) -> {
                    try {
                        cached().close();
                    } catch (IOException | InterruptedException e) {
                        failures.add(e);
                    }
                })
                .close();
        assertThat(failures).isNotEmpty().allSatisfy(e -> assertThat(e).hasMessageContaining("another process"));
        try (DocumentFolder one = cached();
                DocumentFolder two = cached()) {
            assertThat(names(one, "apple")).isEqualTo(names(two, "apple")).hasSize(1);
        }
    }

    @Test
    void interruptedReadingIsContinuedTheNextTime() throws IOException, InterruptedException {
        for (int i = 0; i < 10; i++) {
            write(i + ".txt", "number " + i);
        }
        assertThatThrownBy(() -> DocumentFolder.open(folder, cache, (files, of) -> {
                    if (files == 4) {
                        Thread.currentThread().interrupt();
                    }
                }))
                .isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
        List<String> progress = new ArrayList<>();
        try (DocumentFolder documents =
                DocumentFolder.open(folder, cache, (files, of) -> progress.add(files + "/" + of))) {
            assertThat(documents.inventory().documents()).isEqualTo(10);
            assertThat(names(documents, "number")).hasSize(10);
        }
        assertThat(progress)
                .endsWith(progress.size() - 1 + "/" + (progress.size() - 1))
                .hasSizeBetween(5, 8);
    }

    @Test
    void manySearchAtOnceAndClosingIsSaid() throws Exception {
        for (int i = 0; i < 50; i++) {
            write(i + ".txt", "common word" + i);
        }
        DocumentFolder documents = cached();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<String>>> found = IntStream.range(0, 200)
                    .mapToObj(i -> threads.submit(() -> names(documents, "word" + i % 50)))
                    .toList();
            for (int i = 0; i < found.size(); i++) {
                assertThat(found.get(i).get()).containsExactly(i % 50 + ".txt");
            }
        }
        documents.close();
        documents.close();
        assertThatThrownBy(() -> documents.search("common", 5))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void whatMayNotBeReadIsCounted() throws IOException, InterruptedException {
        write("a.txt", "apple");
        write("b.txt", "banana");
        write("c/d.txt", "cherry");
        assumeTrue(folder.resolve("b.txt").toFile().setReadable(false), "permissions are not kept here");
        assumeTrue(!Files.isReadable(folder.resolve("b.txt")), "this user may read everything");
        assumeTrue(folder.resolve("c").toFile().setReadable(false));
        try (DocumentFolder documents = open()) {
            assertThat(documents.inventory()).isEqualTo(new Inventory(1, 1, 0, 0, 0, 2, 0));
        } finally {
            assertThat(folder.resolve("c").toFile().setReadable(true)).isTrue();
        }
    }

    @Test
    @Tag("slow")
    void tenThousandDocuments() throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 10_000; i++) {
            StringBuilder text = new StringBuilder("# Document " + i + "\n\n");
            for (int j = 0; j < 700; j++) {
                // Zipf's law, roughly: few words often, many seldom
                text.append("w")
                        .append((int) Math.pow(20_000, random.nextDouble()))
                        .append(j % 12 == 11 ? ".\n" : " ");
            }
            write(i / 100 + "/" + i + ".md", text + "needle" + i + "\n");
        }
        long start = System.nanoTime();
        try (DocumentFolder documents = cached()) {
            System.out.println("10 000 documents read in " + since(start));
            start = System.nanoTime();
            for (int i = 0; i < 100; i++) {
                assertThat(names(documents, "w3 w700 needle" + i * 97)).startsWith(i * 97 / 100 + "/" + i * 97 + ".md");
            }
            System.out.println("100 searches in " + since(start));
        }
        start = System.nanoTime();
        try (DocumentFolder documents = cached()) {
            System.out.println("opened again in " + since(start));
            assertThat(documents.inventory()).isEqualTo(new Inventory(10_000, 0, 0, 0, 0, 0, 0));
        }
    }

    private static Duration since(long nanos) {
        return Duration.ofMillis((System.nanoTime() - nanos) / 1_000_000);
    }
}
