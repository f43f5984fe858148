package dev.ossicle.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.models.FoundModel.Format;
import dev.ossicle.models.FoundModel.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders laid out as each program lays out its own, with a small checkpoint of the fixtures in them. */
class TestShelves {
    private static final Path FIXTURES = Path.of("..", "fixtures", "model", "small");
    private static final String COMMIT = "6cee5e81ee83917806bbde320786a8fb61efebee";

    @TempDir
    Path home;

    private final Map<String, String> variables = new HashMap<>();

    private Shelves shelves() {
        return new Shelves(new Environment(variables, home, "Linux"));
    }

    private FoundModel only(String name) {
        List<FoundModel> all = shelves().all();
        assertThat(all).hasSize(1);
        assertThat(shelves().find(name)).hasValue(all.getFirst());
        return all.getFirst();
    }

    private static Path copyGguf(Path to) throws IOException {
        Files.createDirectories(to.getParent());
        return Files.copy(FIXTURES.resolve("model.gguf"), to);
    }

    private static void copyFolder(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        for (Path file : Folders.entries(from)) {
            Files.copy(file, to.resolve(file.getFileName()));
        }
    }

    /** Blobs under their digests, and relative links to them from the snapshot. */
    private Path huggingFace(Path hub, String repository, Path files) throws IOException {
        Path root = hub.resolve("models--" + repository.replace("/", "--"));
        Path snapshot = Files.createDirectories(root.resolve("snapshots").resolve(COMMIT));
        Files.createDirectories(root.resolve("blobs"));
        Files.createDirectories(root.resolve("refs"));
        Files.writeString(root.resolve("refs").resolve("main"), COMMIT);
        for (Path file : Folders.entries(files)) {
            String blob = "%064x".formatted(Folders.name(file).hashCode() & 0xffff_ffffL);
            Files.copy(file, root.resolve("blobs").resolve(blob));
            Files.createSymbolicLink(snapshot.resolve(file.getFileName()), Path.of("..", "..", "blobs", blob));
        }
        return snapshot;
    }

    @Test
    void nothingIsThere() {
        assertThat(shelves().all()).isEmpty();
        assertThat(shelves().find("gpt-oss")).isEmpty();
        assertThat(shelves().preferred(Long.MAX_VALUE)).isEmpty();
        assertThat(shelves().folders()).contains(home.resolve(".local/share/ossicle/models"));
    }

    @Test
    void theHuggingFaceCache() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        Path snapshot = huggingFace(hub, "openai/gpt-oss-20b", FIXTURES.resolve("hf"));
        Files.createDirectories(hub.resolve("models--openai--gpt-oss-20b/snapshots/0000"));
        Files.createDirectories(hub.resolve("datasets--a--b/snapshots/0000"));
        Files.createDirectories(hub.resolve(".locks"));
        FoundModel model = only("gpt-oss:20b");
        assertThat(model.name()).isEqualTo("openai/gpt-oss-20b");
        assertThat(model.source()).isEqualTo(Source.HUGGING_FACE);
        assertThat(model.format()).isEqualTo(Format.SAFETENSORS);
        assertThat(model.path()).isEqualTo(snapshot);
        assertThat(model.bytes())
                .isEqualTo(Files.size(FIXTURES.resolve("hf/model-00001-of-00002.safetensors"))
                        + Files.size(FIXTURES.resolve("hf/model-00002-of-00002.safetensors")));
        assertThat(model.isComplete()).isTrue();
        for (String name : List.of("gpt-oss", "gpt-oss-20b", "openai/gpt-oss-20b", "GPT-OSS:20B", "gpt-oss:latest")) {
            assertThat(shelves().find(name)).as(name).hasValue(model);
        }
        for (String name : List.of("gpt-oss-120b", "gpt-oss-safeguard-20b", "openai", "20b", "")) {
            assertThat(shelves().find(name)).as(name).isEmpty();
        }
        assertThat(shelves().preferred(1)).hasValue(model);
    }

    @Test
    void variablesMoveTheHuggingFaceCache() throws IOException {
        huggingFace(home.resolve("elsewhere/hub"), "openai/gpt-oss-20b", FIXTURES.resolve("hf"));
        assertThat(shelves().all()).isEmpty();
        variables.put("HF_HOME", home.resolve("elsewhere").toString());
        only("gpt-oss-20b");
        variables.put("HF_HOME", "/nowhere");
        variables.put("HF_HUB_CACHE", home.resolve("elsewhere/hub").toString());
        only("gpt-oss-20b");
    }

    @Test
    void aDownloadThatIsNotComplete() throws IOException {
        Path snapshot =
                huggingFace(home.resolve(".cache/huggingface/hub"), "openai/gpt-oss-20b", FIXTURES.resolve("hf"));
        Files.delete(snapshot.resolve("model-00002-of-00002.safetensors"));
        FoundModel model = only("gpt-oss-20b");
        assertThat(model.problem()).isEqualTo("incomplete: model-00002-of-00002.safetensors missing");
        assertThat(shelves().preferred(Long.MAX_VALUE)).isEmpty();
        // A complete one elsewhere comes first, though its folder is searched later.
        copyGguf(home.resolve(".cache/llama.cpp/ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf"));
        assertThat(shelves().find("gpt-oss-20b").orElseThrow().source()).isEqualTo(Source.LLAMA_CPP);
    }

    @Test
    void ggufFilesInTheHuggingFaceCache() throws IOException {
        Path files = home.resolve("files");
        copyGguf(files.resolve("gpt-oss-20b-mxfp4.gguf"));
        Files.writeString(files.resolve("mmproj.gguf"), "GGUF is not all there is to a file");
        huggingFace(home.resolve(".cache/huggingface/hub"), "ggml-org/gpt-oss-20b-GGUF", files);
        FoundModel model = only("gpt-oss-20b");
        assertThat(model.name()).isEqualTo("ggml-org/gpt-oss-20b-GGUF/gpt-oss-20b-mxfp4.gguf");
        assertThat(shelves().find("ggml-org/gpt-oss-20b-gguf")).hasValue(model);
        assertThat(shelves().find("gpt-oss-20b-mxfp4.gguf")).hasValue(model);
    }

    private void ollama(Path models, String manifest, boolean withBlob) throws IOException {
        String digest = "b112e727c6f18875636c56a779790a590d705aec9e1c0eb5a97d51fc2a778583";
        Path file = models.resolve("manifests").resolve(manifest);
        Files.createDirectories(file.getParent());
        Files.writeString(file, """
                {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",
                "config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:776b","size":489},
                "layers":[{"mediaType":"application/vnd.ollama.image.template","digest":"sha256:00","size":7361},
                {"mediaType":"application/vnd.ollama.image.model","digest":"sha256:%s","size":13780154624}]}
                """.formatted(digest));
        Path blob = models.resolve("blobs").resolve("sha256-" + digest);
        if (withBlob && !Files.exists(blob)) {
            copyGguf(blob);
        }
    }

    @Test
    void ollamasManifestsAndBlobs() throws IOException {
        Path models = home.resolve(".ollama/models");
        ollama(models, "registry.ollama.ai/library/gpt-oss/20b", true);
        FoundModel model = only("gpt-oss-20b");
        assertThat(model.name()).isEqualTo("gpt-oss:20b");
        assertThat(model.source()).isEqualTo(Source.OLLAMA);
        assertThat(model.format()).isEqualTo(Format.GGUF);
        assertThat(Folders.name(model.path())).startsWith("sha256-b112");
        ollama(models, "registry.ollama.ai/somebody/gpt-oss-tuned/latest", true);
        ollama(models, "hf.co/unsloth/gpt-oss-20b-GGUF/Q4_K_M", true);
        Files.writeString(models.resolve("manifests/registry.ollama.ai/library/gpt-oss/broken"), "{");
        assertThat(shelves().all())
                .extracting(FoundModel::name)
                .containsExactlyInAnyOrder(
                        "gpt-oss:20b", "somebody/gpt-oss-tuned:latest", "hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M");
        assertThat(shelves().find("somebody/gpt-oss-tuned")).isPresent();
        assertThat(shelves().all())
                .filteredOn(each -> OfficialName.of(each).isPresent())
                .extracting(FoundModel::name)
                .containsExactlyInAnyOrder("gpt-oss:20b", "hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M");
    }

    @Test
    void ollamasFolderMayBeElsewhereAndItsBlobsMissing() throws IOException {
        ollama(home.resolve("big/disk"), "registry.ollama.ai/library/gpt-oss/120b", false);
        assertThat(shelves().all()).isEmpty();
        variables.put("OLLAMA_MODELS", home.resolve("big/disk").toString());
        assertThat(only("gpt-oss-120b").problem()).startsWith("incomplete: sha256-b112");
    }

    @Test
    void llamaCppsCache() throws IOException {
        Path cache = home.resolve(".cache/llama.cpp");
        copyGguf(cache.resolve("ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf"));
        Files.writeString(cache.resolve("manifest=ggml-org=gpt-oss-20b-GGUF=latest.json"), "{}");
        Files.writeString(cache.resolve("ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf.etag"), "\"a\"");
        assertThat(only("gpt-oss-20b").name()).isEqualTo("ggml-org_gpt-oss-20b-GGUF_gpt-oss-20b-mxfp4.gguf");
        variables.put("LLAMA_CACHE", home.resolve("other").toString());
        assertThat(shelves().all()).isEmpty();
    }

    @Test
    void lmStudiosFolders() throws IOException {
        copyGguf(home.resolve(".lmstudio/models/lmstudio-community/gpt-oss-20b-GGUF/gpt-oss-20b-MXFP4.gguf"));
        FoundModel model = only("gpt-oss-20b");
        assertThat(model.name()).isEqualTo("lmstudio-community/gpt-oss-20b-GGUF/gpt-oss-20b-MXFP4.gguf");
        assertThat(model.source()).isEqualTo(Source.LM_STUDIO);
        copyFolder(FIXTURES.resolve("hf"), home.resolve("moved/openai/gpt-oss-120b"));
        Files.writeString(
                home.resolve(".lmstudio/settings.json"), "{\"downloadsFolder\": \"" + home.resolve("moved") + "\"}");
        assertThat(shelves().find("openai/gpt-oss-120b")).isPresent();
    }

    @Test
    void ossiclesOwnComesFirst() throws IOException {
        copyGguf(home.resolve(".lmstudio/models/lmstudio-community/gpt-oss-20b-GGUF/gpt-oss-20b-MXFP4.gguf"));
        variables.put("OSSICLE_MODELS", home.resolve("own").toString());
        copyFolder(FIXTURES.resolve("original"), home.resolve("own/openai/gpt-oss-20b/original"));
        copyFolder(FIXTURES.resolve("hf"), home.resolve("own/.partial/openai--gpt-oss-120b@main"));
        assertThat(shelves().all()).hasSize(2);
        FoundModel model = shelves().find("gpt-oss-20b").orElseThrow();
        assertThat(model.source()).isEqualTo(Source.OSSICLE);
        assertThat(model.path()).isEqualTo(home.resolve("own/openai/gpt-oss-20b"));
        assertThat(model.bytes()).isEqualTo(Files.size(FIXTURES.resolve("original/model.safetensors")));
    }

    @Test
    void partsOfOneModelAreOne() throws IOException {
        Path folder = home.resolve(".lmstudio/models/a/gpt-oss-120b-GGUF");
        copyGguf(folder.resolve("gpt-oss-120b-mxfp4-00001-of-00003.gguf"));
        copyGguf(folder.resolve("gpt-oss-120b-mxfp4-00002-of-00003.gguf"));
        assertThat(only("gpt-oss-120b").problem())
                .isEqualTo("incomplete: gpt-oss-120b-mxfp4-00003-of-00003.gguf missing");
        copyGguf(folder.resolve("gpt-oss-120b-mxfp4-00003-of-00003.gguf"));
        FoundModel whole = only("gpt-oss-120b");
        assertThat(whole.isComplete()).isTrue();
        assertThat(whole.bytes()).isEqualTo(3 * Files.size(FIXTURES.resolve("model.gguf")));
    }

    /** Names decide what "gpt-oss-20b" may mean: never a fine-tune. */
    @Test
    void otherModelsAreNotTakenForOpenAis() throws IOException {
        Path models = home.resolve(".lmstudio/models");
        copyGguf(models.resolve("a/gpt-oss-20b-abliterated-GGUF/gpt-oss-20b-Q4_K_M.gguf"));
        copyGguf(models.resolve("a/gpt-oss-20b-GGUF/gpt-oss-20b-medical-Q4_K_M.gguf"));
        copyFolder(FIXTURES.resolve("hf"), models.resolve("someone/gpt-oss-20b"));
        assertThat(shelves().all()).hasSize(3);
        assertThat(shelves().find("gpt-oss-20b")).isEmpty();
        assertThat(shelves().find("someone/gpt-oss-20b")).isPresent();
        assertThat(shelves().preferred(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void otherArchitecturesAreNotListed() throws IOException {
        Path folder = Files.createDirectories(home.resolve(".lmstudio/models/a/llama-GGUF"));
        byte[] bytes = Files.readAllBytes(FIXTURES.resolve("model.gguf"));
        String text = new String(bytes, StandardCharsets.ISO_8859_1).replaceFirst("gpt-oss", "llama-x");
        Files.write(folder.resolve("llama.gguf"), text.getBytes(StandardCharsets.ISO_8859_1));
        Files.write(folder.resolve("empty.gguf"), new byte[0]);
        copyFolder(FIXTURES.resolve("hf"), home.resolve(".lmstudio/models/a/other"));
        Path config = home.resolve(".lmstudio/models/a/other/config.json");
        Files.writeString(config, Files.readString(config).replace("\"gpt_oss\"", "\"llama\""));
        assertThat(shelves().all()).isEmpty();
    }

    @Test
    void theLargestThatFitsIsPreferred() throws IOException {
        Path models = home.resolve(".lmstudio/models/a");
        copyGguf(models.resolve("gpt-oss-20b-GGUF/gpt-oss-20b-MXFP4.gguf"));
        FoundModel small = only("gpt-oss-20b");
        for (int part = 1; part <= 2; part++) {
            copyGguf(models.resolve("gpt-oss-120b-GGUF/gpt-oss-120b-0000" + part + "-of-00002.gguf"));
        }
        copyGguf(models.resolve("gpt-oss-safeguard-120b-GGUF/gpt-oss-safeguard-120b-F16.gguf"));
        FoundModel large = shelves().find("gpt-oss-120b").orElseThrow();
        assertThat(shelves().preferred(Long.MAX_VALUE)).hasValue(large);
        assertThat(shelves().preferred(small.bytes())).hasValue(small);
        assertThat(shelves().preferred(0)).hasValue(small);
        assertThat(shelves().find("gpt-oss-safeguard:120b").map(FoundModel::name))
                .isEqualTo(Optional.of("a/gpt-oss-safeguard-120b-GGUF/gpt-oss-safeguard-120b-F16.gguf"));
    }
}
