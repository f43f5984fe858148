package dev.ossicle.models.hub;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.models.Environment;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pulls from a hub that does everything wrong that a network can. */
@Timeout(120)
class TestPull {
    private static final String WEIGHTS = "model-00001-of-00002.safetensors";
    private static final long SEGMENT = 1 << 16;

    @TempDir
    Path home;

    private final FakeHub hub = new FakeHub();
    private final List<String> notes = Collections.synchronizedList(new ArrayList<>());
    private final AtomicReference<long[]> last = new AtomicReference<>(new long[2]);
    private Path root;

    private final PullProgress progress = new PullProgress() {
        @Override
        public void note(String line) {
            notes.add(line);
        }

        @Override
        public void bytes(long done, long total) {
            last.set(new long[] {done, total});
        }
    };

    @BeforeEach
    void fill() {
        root = home.resolve("models");
        Random random = new Random(5);
        hub.files.put("config.json", "{\"model_type\": \"gpt_oss\"}".getBytes(StandardCharsets.UTF_8));
        hub.files.put("tokenizer.json", bytes(random, 100_000));
        hub.files.put("model.safetensors.index.json", "{}".getBytes(StandardCharsets.UTF_8));
        hub.files.put(WEIGHTS, bytes(random, 700_001));
        hub.files.put("model-00002-of-00002.safetensors", bytes(random, 65_536));
        hub.files.put("empty.safetensors", new byte[0]);
        hub.files.put("original/model.safetensors", bytes(random, 900_000));
        hub.files.put("metal/model.bin", bytes(random, 900_000));
        hub.files.put("LICENSE", "free".getBytes(StandardCharsets.UTF_8));
        hub.files.put(".gitattributes", "*.safetensors filter=lfs".getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    @AfterEach
    void end() throws IOException {
        hub.close();
        // Nothing but the models' folder was made.
        try (Stream<Path> all = Files.list(home)) {
            assertThat(all.toList()).isSubsetOf(List.of(root));
        }
    }

    private HubOptions options(@Nullable String token, boolean offline) {
        return new HubOptions(
                hub.address(),
                token,
                null,
                null,
                List.of(),
                4,
                SEGMENT,
                Duration.ofSeconds(5),
                Duration.ofMillis(1),
                offline);
    }

    private Pull.Result pull() throws IOException, InterruptedException {
        return Pull.run(root, options(null, false), PullRequest.of(FakeHub.NAME, null), progress);
    }

    private void assertComplete(Path folder) throws IOException {
        assertThat(folder).isEqualTo(root.resolve(FakeHub.NAME));
        List<String> expected = new ArrayList<>(List.of("ossicle.json"));
        for (var file : hub.files.entrySet()) {
            if (!file.getKey().contains("/") && !file.getKey().startsWith(".")) {
                expected.add(file.getKey());
                assertThat(Files.readAllBytes(folder.resolve(file.getKey())))
                        .as(file.getKey())
                        .isEqualTo(file.getValue());
            }
        }
        try (Stream<Path> all = Files.list(folder)) {
            assertThat(all.map(path -> path.getFileName().toString())).containsExactlyInAnyOrderElementsOf(expected);
        }
        assertThat(root.resolve(Pull.PARTIAL)).isEmptyDirectory();
    }

    @Test
    void oneCopyOfTheWeightsComes() throws Exception {
        Pull.Result result = pull();
        assertComplete(result.folder());
        assertThat(result.wasHere()).isFalse();
        assertThat(last.get()[0])
                .isEqualTo(last.get()[1])
                .isEqualTo(result.repository().bytes());
        assertThat(hub.atOtherHost.stream().filter(request -> request.path().endsWith(WEIGHTS)))
                .hasSize(11)
                .allMatch(request -> request.range() != null);
        int asked = hub.atOtherHost.size();
        assertThat(pull().wasHere()).isTrue();
        assertThat(hub.atOtherHost).hasSize(asked);
        assertThat(StoredRepository.in(result.folder()).orElseThrow().revision())
                .isEqualTo(FakeHub.COMMIT);
    }

    /** Each connection may end anywhere; a hundred and more of them do. */
    @Test
    void connectionsThatEnd() throws Exception {
        Random random = new Random(9);
        AtomicInteger interruptions = new AtomicInteger();
        hub.trouble = (exchange, content) -> {
            double after;
            synchronized (random) {
                if (random.nextInt(10) == 0 || content.length < 1000) {
                    return false;
                }
                after = random.nextDouble() * 0.3;
            }
            interruptions.incrementAndGet();
            FakeHub.hangUp(exchange, content, after);
            return true;
        };
        Pull.Result result = pull();
        assertComplete(result.folder());
        assertThat(interruptions).hasValueGreaterThan(60);
    }

    /** The program is stopped a hundred times, and goes on where it was. */
    @Test
    void aPullThatIsStoppedAgainAndAgain() throws Exception {
        Random random = new Random(17);
        AtomicInteger allowed = new AtomicInteger();
        Semaphore stuck = new Semaphore(0);
        AtomicReference<CountDownLatch> end = new AtomicReference<>(new CountDownLatch(1));
        hub.trouble = (exchange, content) -> {
            if (content.length <= 1000) {
                return false;
            }
            if (allowed.decrementAndGet() >= 0) {
                FakeHub.hangUp(
                        exchange, content, 0.02); // a little at a time, so that there is a middle to be caught in
                return true;
            }
            CountDownLatch ofThisPull = end.get();
            stuck.release();
            try {
                ofThisPull.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
            return true;
        };
        for (int stopped = 0; stopped < 100; stopped++) {
            allowed.set(random.nextInt(7));
            stuck.drainPermits();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread puller = new Thread(() -> {
                try {
                    pull();
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            puller.start();
            stuck.acquire();
            puller.interrupt();
            puller.join();
            end.getAndSet(new CountDownLatch(1)).countDown();
            assertThat(failure.get()).isInstanceOf(InterruptedException.class);
        }
        hub.trouble = null;
        notes.clear();
        assertComplete(pull().folder());
        assertThat(notes).anyMatch(note -> note.contains("of it here already"));
    }

    @Test
    void theTokenStaysWithTheEndpoint() throws Exception {
        Pull.run(root, options("hf_secret", false), PullRequest.of(FakeHub.NAME, null), progress);
        assertThat(hub.atEndpoint).allMatch(request -> "Bearer hf_secret".equals(request.authorization()));
        assertThat(hub.atOtherHost).isNotEmpty().allMatch(request -> request.authorization() == null);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            401 | it does not exist, or is not public; for that, set HF_TOKEN
            403 | to see what it asks for, and set HF_TOKEN
            404 | there is no someone/small-model (or it is not public
            418 | answers 418 for someone/small-model
            """)
    void whatTryingAgainWouldNotHelp(int status, String message) {
        AtomicInteger asked = new AtomicInteger();
        hub.descriptionTrouble = (exchange, content) -> {
            asked.incrementAndGet();
            FakeHub.send(exchange, status, new byte[0], 0, 0);
            return true;
        };
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageContaining("127.0.0.1 answers " + status)
                .hasMessageContaining(message);
        assertThat(asked).hasValue(1);
        assertThat(root.resolve(FakeHub.NAME)).doesNotExist();
    }

    @Test
    void aTokenThatIsRefused() {
        hub.descriptionTrouble = (exchange, content) -> {
            FakeHub.send(exchange, 401, new byte[0], 0, 0);
            return true;
        };
        assertThatThrownBy(() -> Pull.run(root, options("hf_old", false), PullRequest.of(FakeHub.NAME, null), progress))
                .hasMessageContaining("the token in HF_TOKEN is not (or no longer) valid")
                .hasMessageNotContaining("hf_old");
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503, 408})
    void aBusyHostIsAskedAgain(int status) throws Exception {
        Map<String, AtomicInteger> refused = new ConcurrentHashMap<>();
        FakeHub.Trouble busy = (exchange, content) -> {
            String what = exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Range");
            if (refused.computeIfAbsent(what, any -> new AtomicInteger()).incrementAndGet() > 2) {
                return false;
            }
            exchange.getResponseHeaders().set("Retry-After", "0");
            FakeHub.send(exchange, status, new byte[0], 0, 0);
            return true;
        };
        hub.trouble = busy;
        hub.descriptionTrouble = busy;
        assertComplete(pull().folder());
    }

    /** An address that was signed for us expires. */
    @Test
    void anExpiredAddressIsAskedForAgain() throws Exception {
        AtomicInteger count = new AtomicInteger();
        hub.trouble = (exchange, content) -> {
            if (content.length != 700_001 || count.incrementAndGet() % 2 == 0) {
                return false;
            }
            FakeHub.send(exchange, 403, new byte[0], 0, 0);
            return true;
        };
        assertComplete(pull().folder());
    }

    @Test
    void aHostThatIsGoneIsGivenUpWithWhatToDo() throws Exception {
        hub.trouble = (exchange, content) -> {
            exchange.close();
            return content.length == 700_001;
        };
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageContaining("after 10 attempts")
                .hasMessageContaining("the same command goes on from there");
        hub.trouble = null;
        assertComplete(pull().folder());
    }

    @Test
    void aFileThatIsAnotherIsRefused() throws Exception {
        hub.announced.put(WEIGHTS, "00".repeat(32));
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageContaining(
                        WEIGHTS + " comes with the digest " + FakeHub.sha256(requireNonNull(hub.files.get(WEIGHTS))))
                .hasMessageContaining("expected 0000");
        assertThat(root.resolve(FakeHub.NAME)).doesNotExist();
        hub.announced.clear();
        assertComplete(pull().folder());
    }

    @Test
    void smallFilesAreCheckedToo() {
        hub.announced.put("config.json", "00".repeat(20));
        assertThatThrownBy(this::pull).hasMessageContaining("config.json comes with the digest");
    }

    @Test
    void bytesThatWereDamagedOnTheWayComeOnceMore() throws Exception {
        AtomicInteger damaged = new AtomicInteger();
        hub.trouble = (exchange, content) -> {
            String range = exchange.getRequestHeaders().getFirst("Range");
            if (content.length != 700_001 || range == null || damaged.getAndIncrement() > 0) {
                return false;
            }
            byte[] other = content.clone();
            long[] asked = FakeHub.range(range);
            other[(int) asked[0] + 7] ^= 1;
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + asked[0] + "-" + asked[1] + "/" + other.length);
            FakeHub.send(exchange, 206, other, (int) asked[0], (int) (asked[1] - asked[0] + 1));
            return true;
        };
        assertComplete(pull().folder());
        assertThat(notes).anyMatch(note -> note.contains(WEIGHTS + " has come with a wrong digest"));
        assertThat(last.get()[0]).isEqualTo(last.get()[1]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes 0-9/700001", "bytes 65536-131071/9", "bytes 65536-999999/700001", "nonsense"})
    void aHostThatSendsOtherBytesThanWereAsked(String contentRange) {
        hub.trouble = (exchange, content) -> {
            if (content.length != 700_001
                    || !"bytes=65536-131071".equals(exchange.getRequestHeaders().getFirst("Range"))) {
                return false;
            }
            exchange.getResponseHeaders().set("Content-Range", contentRange);
            FakeHub.send(exchange, 206, content, 0, 65_536);
            return true;
        };
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageContaining("\"" + contentRange + "\" of someone/small-model/" + WEIGHTS);
    }

    /** Fewer bytes than announced and more than announced, and a host without ranges. */
    @Test
    void lengthsThatLie() throws Exception {
        AtomicInteger count = new AtomicInteger();
        hub.trouble = (exchange, content) -> {
            if (content.length == 700_001 && count.incrementAndGet() % 2 == 1) {
                FakeHub.hangUp(exchange, content, 0.5);
                return true;
            }
            if (content.length == 65_536) {
                byte[] more = Arrays.copyOf(content, 80_000);
                FakeHub.send(exchange, 200, more, 0, more.length);
                return true;
            }
            return false;
        };
        assertComplete(pull().folder());
    }

    @Test
    void aHostWithoutRangesCannotGoOn() {
        hub.trouble = (exchange, content) -> {
            if (content.length == 700_001) {
                FakeHub.send(exchange, 200, content, 0, content.length);
                return true;
            }
            return false;
        };
        assertThatThrownBy(this::pull).isInstanceOf(PullException.class).hasMessageContaining("ignores the range");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://127.0.0.1/x", "file:///etc/passwd", "://", "LOOP"})
    void redirectsThatLeadNowhere(String target) {
        String location = target.equals("LOOP")
                ? hub.address() + "/" + FakeHub.NAME + "/resolve/" + FakeHub.COMMIT + "/config.json"
                : target;
        hub.trouble = (exchange, content) -> {
            exchange.getResponseHeaders().set("Location", location);
            FakeHub.send(exchange, 302, new byte[0], 0, 0);
            return true;
        };
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageMatching(".*(to no address|around in circles).*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../outside.safetensors",
                "/etc/model.safetensors",
                "a/../../b.safetensors",
                "..\\\\b.safetensors",
                "C:model.safetensors",
                "con.safetensors",
                "a/b/c/d/e/f/g.safetensors",
                ".hidden.safetensors",
                "a//b.safetensors",
                "model.safetensors/../x.gguf",
                "caf\u00e9.safetensors"
            })
    void namesThatLeaveTheFolder(String path) {
        hub.files.put(path, new byte[] {1});
        assertThatThrownBy(this::pull)
                .isInstanceOf(PullException.class)
                .hasMessageContaining("which may not be written here");
        assertThat(root).doesNotExist();
    }

    @Test
    void namesThatDifferInCaseOnly() {
        hub.files.put("LICENSE", new byte[] {1});
        hub.files.put("license", new byte[] {2});
        assertThatThrownBy(this::pull).hasMessageContaining("two files named");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "not json",
                "[]",
                "{}",
                "{\"sha\": \"main\", \"siblings\": []}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [3]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": []}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"model.gguf\"}]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"model.gguf\","
                        + " \"size\": -1, \"blobId\": \"0123456789abcdef0123456789abcdef01234567\"}]}",
                "{\"sha\": \"0123456789abcdef0123456789abcdef01234567\", \"siblings\": [{\"rfilename\": \"model.gguf\","
                        + " \"size\": 5e99, \"blobId\": \"0123456789abcdef0123456789abcdef01234567\"}]}"
            })
    void descriptionsThatMakeNoSense(String description) {
        byte[] bytes = description.getBytes(StandardCharsets.UTF_8);
        hub.descriptionTrouble = (exchange, content) -> {
            FakeHub.send(exchange, 200, bytes, 0, bytes.length);
            return true;
        };
        assertThatThrownBy(this::pull).isInstanceOf(PullException.class);
        assertThat(root).doesNotExist();
    }

    @Test
    void ggufFilesAreChosenByName() throws Exception {
        hub.files.clear();
        byte[] content = bytes(new Random(1), 1000);
        for (String name : List.of(
                "m-Q4_K_M.gguf",
                "m-Q8_0.gguf",
                "m-F16-00001-of-00002.gguf",
                "m-F16-00002-of-00002.gguf",
                "mmproj.gguf")) {
            hub.files.put(name, content);
        }
        hub.files.put("README.md", content);
        assertThatThrownBy(this::pull).hasMessageContaining("3 GGUF files of someone/small-model fit");
        PullRequest split = PullRequest.of(FakeHub.NAME + ":f16", null);
        Path folder = Pull.run(root, options(null, false), split, progress).folder();
        try (Stream<Path> all = Files.list(folder)) {
            assertThat(all.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "README.md", "m-F16-00001-of-00002.gguf", "m-F16-00002-of-00002.gguf", "ossicle.json");
        }
        assertThatThrownBy(() ->
                        Pull.run(root, options(null, false), PullRequest.of(FakeHub.NAME + ":q5", null), progress))
                .hasMessageContaining("no GGUF files of someone/small-model fit \"q5\"");
        hub.files.put("m-MXFP4.gguf", content);
        assertThat(Pull.run(root.resolve("b"), options(null, false), PullRequest.of(FakeHub.NAME, null), progress)
                        .repository()
                        .files())
                .extracting(StoredRepository.StoredFile::path)
                .containsExactly("m-MXFP4.gguf", "README.md");
    }

    @Test
    void offlineAsksNobody() throws Exception {
        assertThatThrownBy(() -> Pull.run(root, options(null, true), PullRequest.of(FakeHub.NAME, null), progress))
                .isInstanceOf(PullException.class)
                .hasMessageContaining("--offline");
        assertThat(hub.atEndpoint).isEmpty();
        pull();
        hub.close();
        assertThat(Pull.run(root, options(null, true), PullRequest.of(FakeHub.NAME, null), progress)
                        .wasHere())
                .isTrue();
    }

    @Test
    void aNewRevisionReplacesTheOldOne() throws Exception {
        Path folder = pull().folder();
        Files.writeString(
                folder.resolve("ossicle.json"),
                Files.readString(folder.resolve("ossicle.json")).replace(FakeHub.COMMIT, "9".repeat(40)));
        hub.files.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
        assertComplete(pull().folder());
    }

    @Test
    void aFolderThatIsNotOursIsLeftAlone() throws Exception {
        Path folder = Files.createDirectories(root.resolve(FakeHub.NAME));
        Files.writeString(folder.resolve("mine.txt"), "mine");
        assertThatThrownBy(this::pull).hasMessageContaining("is in the way, and was not made by Ossicle");
        assertThat(folder.resolve("mine.txt")).hasContent("mine");
    }

    @Test
    void twoAtOnce() throws Exception {
        AtomicReference<Throwable> second = new AtomicReference<>();
        AtomicInteger once = new AtomicInteger();
        hub.trouble = (exchange, content) -> {
            if (once.getAndIncrement() == 0) {
                try {
                    pull();
                } catch (Throwable e) {
                    second.set(e);
                }
            }
            return false;
        };
        assertComplete(pull().folder());
        assertThat(second.get())
                .isInstanceOf(PullException.class)
                .hasMessageContaining("another pull of this is at work");
    }

    @Test
    void officialRepositoriesAreKnown() {
        Repository small = Official.find("openai/gpt-oss-20b").orElseThrow();
        Repository large = Official.find("openai/gpt-oss-120b").orElseThrow();
        // The tensors' bytes follow from the architecture; the rest is the headers of 3 and 15 shards.
        assertThat(weights(small) - 13_761_264_768L).isBetween(3 * 8L, 100_000L);
        assertThat(weights(large) - 65_248_815_744L).isBetween(15 * 8L, 100_000L);
        assertThat(small.files()).allMatch(file -> file.digest().length() == 64);
        assertThat(large.files()).allMatch(file -> file.digest().length() == 64);
        Official.check(small, small.files());
        List<RemoteFile> forged = new ArrayList<>(small.files());
        forged.replaceAll(file ->
                file.path().equals("config.json") ? new RemoteFile("config.json", file.size(), "0".repeat(64)) : file);
        assertThatThrownBy(() -> Official.check(small, forged)).hasMessageContaining("this is not OpenAI's file");
        assertThatThrownBy(() -> Official.check(small, forged.subList(0, 3))).hasMessageContaining("lists no");
    }

    private static long weights(Repository repository) {
        return repository.files().stream()
                .filter(file -> file.path().endsWith(".safetensors"))
                .mapToLong(RemoteFile::size)
                .sum();
    }

    @ParameterizedTest
    @CsvSource({
        "gpt-oss, openai/gpt-oss-20b,",
        "gpt-oss:120b, openai/gpt-oss-120b,",
        "openai/gpt-oss-safeguard-20b, openai/gpt-oss-safeguard-20b,",
        "unsloth/gpt-oss-20b-GGUF, unsloth/gpt-oss-20b-GGUF,",
        "hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M, unsloth/gpt-oss-20b-GGUF, Q4_K_M"
    })
    void whatMayBeAskedFor(String word, String repository, @Nullable String file) {
        assertThat(PullRequest.of(word, null)).isEqualTo(new PullRequest(repository, null, file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gpt-5", "a/b/c", "../x", "a/..", "a b/c", "https://elsewhere/a/b", "-a/b"})
    void whatMayNot(String word) {
        assertThatThrownBy(() -> PullRequest.of(word, null)).isInstanceOf(PullException.class);
    }

    @Test
    void theEnvironmentIsReadAsHuggingFaceDoes() throws IOException {
        Environment environment = new Environment(
                Map.of(
                        "HF_ENDPOINT", "https://mirror.example/",
                        "HF_TOKEN", " hf_abc\n",
                        "HTTPS_PROXY", "http://user:pw@proxy.example:3128",
                        "NO_PROXY", "localhost,.internal.example, 10.0.0.1:8080"),
                home,
                "Linux");
        HubOptions options = HubOptions.of(environment, false);
        assertThat(options.endpoint()).isEqualTo(URI.create("https://mirror.example"));
        assertThat(options.token()).isEqualTo("hf_abc");
        assertThat(options.proxyFor("https", "mirror.example")).hasHost("proxy.example");
        for (String direct : List.of("localhost", "a.internal.example", "INTERNAL.example", "10.0.0.1")) {
            assertThat(options.proxyFor("https", direct)).as(direct).isNull();
        }
        assertThat(options.proxyFor("https", "notinternal.example")).isNotNull();
        assertThat(options.proxyFor("http", "mirror.example")).isNull();
        assertThatThrownBy(() -> HubOptions.of(new Environment(Map.of("HF_ENDPOINT", "nowhere"), home, ""), false))
                .hasMessageContaining("HF_ENDPOINT is \"nowhere\"");
        assertThatThrownBy(() -> HubOptions.of(new Environment(Map.of("HF_TOKEN", "a\nb"), home, ""), false))
                .hasMessageContaining("HF_TOKEN holds");
    }

    /** The endpoint does not exist: only the proxy can have answered. */
    @Test
    void aProxyIsUsed() throws Exception {
        HubOptions through = new HubOptions(
                URI.create("http://hub.invalid"),
                null,
                hub.address(),
                null,
                List.of(),
                2,
                SEGMENT,
                Duration.ofSeconds(5),
                Duration.ofMillis(1),
                false);
        hub.files.keySet().removeIf(path -> path.endsWith(".safetensors"));
        hub.files.put("m.gguf", new byte[100]);
        assertThat(Pull.run(root, through, PullRequest.of(FakeHub.NAME, null), progress)
                        .folder())
                .isDirectory();
    }
}
