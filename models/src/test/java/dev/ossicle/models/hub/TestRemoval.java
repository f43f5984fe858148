package dev.ossicle.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.models.Environment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRemoval {
    private static final String ZERO = "0".repeat(64);

    @TempDir
    Path home;

    private Path root;
    private Environment environment;

    @BeforeEach
    void begin() {
        root = home.resolve("own");
        environment = new Environment(Map.of("OSSICLE_MODELS", root.toString()), home, "Linux");
    }

    private Path stored(String repository) throws IOException {
        Path folder = Files.createDirectories(root.resolve(repository).resolve("sub"));
        Files.writeString(folder.resolve("model.gguf"), "12345");
        Files.writeString(folder.resolveSibling("config.json"), "{}");
        StoredRepository.of(
                        new Repository(repository, "1".repeat(40), List.of()),
                        List.of(new RemoteFile("sub/model.gguf", 5, ZERO), new RemoteFile("config.json", 2, ZERO)))
                .writeTo(folder.resolveSibling("."));
        return root.resolve(repository);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-oss-20b", "gpt-oss:20b", "openai/gpt-oss-20b", "openai/gpt-oss-20b/model.gguf"})
    void whatWasPulledGoes(String name) throws IOException {
        stored("openai/gpt-oss-20b");
        Path other = stored("openai/gpt-oss-120b");
        Files.writeString(root.resolve("openai/gpt-oss-20b/ossicle.pack"), "pack");
        Removal.Result result = Removal.of(environment, name);
        assertThat(result).isEqualTo(new Removal.Result("openai/gpt-oss-20b", 11, List.of()));
        assertThat(root.resolve("openai/gpt-oss-20b")).doesNotExist();
        assertThat(other.resolve("config.json")).exists();
    }

    @Test
    void whatSomebodyElsePutThereStays() throws IOException {
        Path folder = stored("a/b");
        Path mine = Files.writeString(folder.resolve("mine.txt"), "mine");
        assertThat(Removal.of(environment, "a/b").left()).containsExactly(mine);
        assertThat(mine).hasContent("mine");
        assertThat(folder.resolve("sub")).doesNotExist();
        assertThatThrownBy(() -> Removal.of(environment, "a/b")).hasMessageContaining("there is no model a/b");
        assertThat(mine).hasContent("mine");
    }

    @Test
    void downloadsThatAreNotCompleteGoToo() throws IOException {
        Path partial = Files.createDirectories(root.resolve(".partial/a--b@" + "1".repeat(40)));
        Path other = Files.createDirectories(root.resolve(".partial/a--bc@" + "1".repeat(40)));
        Files.writeString(partial.resolve("model.gguf.part"), "123");
        assertThat(Removal.of(environment, "a/b").bytes()).isEqualTo(3);
        assertThat(partial).doesNotExist();
        assertThat(other).exists();
    }

    @Test
    void otherProgramsModelsAreLeftAlone() throws IOException {
        Path file = home.resolve(".lmstudio/models/a/gpt-oss-20b-GGUF/gpt-oss-20b-MXFP4.gguf");
        Files.createDirectories(file.getParent());
        Files.copy(Path.of("..", "fixtures", "model", "small", "model.gguf"), file);
        assertThatThrownBy(() -> Removal.of(environment, "gpt-oss-20b"))
                .isInstanceOf(PullException.class)
                .hasMessageContaining("was not stored by `ossicle pull`: it is in LM Studio, at " + file);
        assertThat(file).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../x", "a/..", "/etc", "a", "a/b/../../.."})
    void namesThatLeaveTheFolder(String name) throws IOException {
        stored("a/b");
        Files.writeString(home.resolve("ossicle.json"), Files.readString(root.resolve("a/b/ossicle.json")));
        Files.writeString(home.resolve("config.json"), "{}");
        assertThatThrownBy(() -> Removal.of(environment, name)).isInstanceOf(PullException.class);
        assertThat(home.resolve("config.json")).exists();
    }

    /** A description that was tampered with removes nothing outside. */
    @Test
    void filesOutsideTheFolderStay() throws IOException {
        Path folder = stored("a/b");
        Path json = folder.resolve("ossicle.json");
        Files.writeString(json, Files.readString(json).replace("config.json", "../../outside"));
        Files.writeString(root.resolve("outside"), "mine");
        assertThatThrownBy(() -> Removal.of(environment, "a/b")).hasMessageContaining("there is no model");
        assertThat(root.resolve("outside")).exists();
    }
}
