package dev.ossicle.tools.patch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Patches on real folders, well-behaved and hostile. */
class TestApplyPatch {
    @TempDir
    Path outside;

    private Path folder = Path.of("");

    @BeforeEach
    void files() throws IOException {
        folder = Files.createDirectory(outside.resolve("folder"));
        Files.writeString(outside.resolve("secret"), "a\n");
        Files.writeString(folder.resolve("a"), "a\nb\n");
        Files.createDirectories(folder.resolve("sub"));
        Files.writeString(folder.resolve("sub/windows"), "a\r\nb\r\n");
        Files.write(folder.resolve("binary"), new byte[] {(byte) 0xFF, 0, 1});
        Files.createSymbolicLink(folder.resolve("link-out"), outside.resolve("secret"));
        Files.createSymbolicLink(folder.resolve("folder-out"), outside);
        Files.createSymbolicLink(folder.resolve("dangling"), outside.resolve("new"));
        Files.createSymbolicLink(folder.resolve("link-in"), Path.of("a"));
        Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
    }

    private Map<String, String> tree() throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(outside)) {
            for (Path path : paths.toList()) {
                String name = outside.relativize(path).toString();
                if (Files.isSymbolicLink(path)) {
                    tree.put(name, "-> " + Files.readSymbolicLink(path));
                } else if (Files.isRegularFile(path)) {
                    tree.put(name, Files.readString(path, StandardCharsets.ISO_8859_1));
                } else {
                    tree.put(name, "folder");
                }
            }
        }
        return tree;
    }

    private ToolOutput call(String... operations) throws IOException {
        return session(false)
                .call("apply_patch", "*** Begin Patch\n" + String.join("\n", operations) + "\n*** End Patch");
    }

    private ApplyPatchSession session(boolean dryRun) throws IOException {
        return new ApplyPatchSession(new Workspace(folder), dryRun);
    }

    @Test
    void filesAreAddedChangedMovedAndRemoved() throws IOException {
        Files.setPosixFilePermissions(folder.resolve("a"), PosixFilePermissions.fromString("rwxr-x--x"));
        ToolOutput output = call(
                "*** Add File: deep/er/new",
                "+x",
                "*** Update File: a",
                " a",
                "-b",
                "+B",
                "*** Update File: sub/windows",
                "*** Move to: sub/dos",
                "-a",
                "+A",
                "*** Delete File: binary2");
        assertThat(output.text()).isEqualTo("Error applying patch: Delete File Error - missing file: binary2");
        Files.writeString(folder.resolve("gone"), "");
        output = call(
                "*** Add File: deep/er/new",
                "+x",
                "*** Update File: a",
                " a",
                "-b",
                "+B",
                "*** Update File: sub/windows",
                "*** Move to: sub/dos",
                "-a",
                "+A",
                "*** Delete File: gone");
        assertThat(output.text()).isEqualTo("Done!");
        assertThat(output.failed()).isFalse();
        assertThat(output.files())
                .containsExactly(new ToolFile("deep/er/new", 1), new ToolFile("a", 4), new ToolFile("sub/dos", 4));
        assertThat(folder.resolve("deep/er/new")).hasContent("x");
        assertThat(Files.readString(folder.resolve("a"))).isEqualTo("a\nB\n");
        assertThat(Files.readString(folder.resolve("sub/dos"))).isEqualTo("A\r\nb\r\n");
        assertThat(folder.resolve("sub/windows")).doesNotExist();
        assertThat(folder.resolve("gone")).doesNotExist();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("a"))))
                .isEqualTo("rwxr-x--x");
        assertThat(tree().keySet()).noneMatch(name -> name.contains("ossicle"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*** Add File: ../new\n+x",
                "*** Add File: sub/../../new\n+x",
                "*** Add File: /tmp/ossicle-test-new\n+x",
                "*** Add File: link-out\n+x",
                "*** Add File: folder-out/new\n+x",
                "*** Add File: dangling\n+x",
                "*** Add File: loop\n+x",
                "*** Add File: .\n+x",
                "*** Add File: sub\n+x",
                "*** Add File: a/b\n+x",
                "*** Add File: \0\n+x",
                "*** Update File: ../secret\n-a\n+x",
                "*** Update File: link-out\n-a\n+x",
                "*** Update File: folder-out/secret\n-a\n+x",
                "*** Update File: a\n*** Move to: ../new\n-a\n+x",
                "*** Update File: a\n*** Move to: folder-out/new\n-a\n+x",
                "*** Update File: binary\n-a\n+x",
                "*** Update File: sub\n-a\n+x",
                "*** Delete File: ../secret",
                "*** Delete File: folder-out/secret",
                "*** Delete File: link-out",
                "*** Update File: a\n-a\n+x\n*** Update File: ./a\n-b\n+y",
                "*** Update File: a\n-a\n+x\n*** Update File: link-in\n-b\n+y",
                "*** Add File: n\n+x\n*** Update File: a\n-z\n+y",
                "*** Add File: new/n\n+x\n*** Add File: a/b\n+x",
                "*** Add File: new/n\n+x\n*** Add File: new/n/m\n+x",
            })
    void whatIsRefusedChangesNothing(String operations) throws IOException {
        Map<String, String> before = tree();
        ToolOutput output = call(operations);
        assertThat(output.failed()).as(output.text()).isTrue();
        assertThat(output.text()).startsWith("Error applying patch: ");
        assertThat(tree()).isEqualTo(before);
        assertThat(Path.of("/tmp/ossicle-test-new")).doesNotExist();
    }

    @Test
    void aLinkWithinTheFolderIsFollowed() throws IOException {
        assertThat(call("*** Update File: link-in", "-a", "+x").text()).isEqualTo("Done!");
        assertThat(folder.resolve("link-in")).isSymbolicLink();
        assertThat(Files.readString(folder.resolve("a"))).isEqualTo("x\nb\n");
    }

    @Test
    void aFileMovedOntoItselfStays() throws IOException {
        assertThat(call("*** Update File: a", "*** Move to: sub/../a", "-a", "+x")
                        .text())
                .isEqualTo("Done!");
        assertThat(Files.readString(folder.resolve("a"))).isEqualTo("x\nb\n");
    }

    @Test
    void aDryRunSaysWhatItWouldDo() throws IOException {
        Map<String, String> before = tree();
        String patch =
                "*** Begin Patch\n*** Update File: a\n*** Move to: c\n-a\n+x\n*** Add File: d\n+e\n*** End Patch";
        assertThat(session(true).call("apply_patch", patch))
                .isEqualTo(ToolOutput.of(
                        "Dry run, nothing was changed. The patch fits: update a and move it to c, add d"));
        assertThat(session(true).call("apply_patch", patch.replace("-a", "-z")).failed())
                .isTrue();
        assertThat(tree()).isEqualTo(before);
    }

    @Test
    void aFailureHalfwayIsTakenBack() throws IOException {
        Map<String, String> before = tree();
        try (Transaction transaction = new Transaction(folder)) {
            transaction.replace(folder.resolve("a"), new byte[] {65});
            transaction.replace(folder.resolve("n/e/w"), new byte[] {65});
            transaction.replace(folder.resolve("sub/windows"), null);
            transaction.replace(folder.resolve("x"), new byte[] {65});
            Files.createDirectory(folder.resolve("x")); // in the way of the last one
            transaction.commit();
        } catch (IOException e) {
            Files.delete(folder.resolve("x"));
            assertThat(tree()).isEqualTo(before);
            return;
        }
        assertThat(false).as("the commit should have failed").isTrue();
    }

    @Test
    void bodiesMayBeJson() throws IOException {
        String patch = "*** Begin Patch\n*** Add File: new\n+\"x\"\n*** End Patch";
        JsonObject body =
                JsonObject.builder().put("reason", "none").put("patch", patch).build();
        assertThat(session(false).call("apply_patch", body.toString()).text()).isEqualTo("Done!");
        assertThat(Files.readString(folder.resolve("new"))).isEqualTo("\"x\"");
        assertThat(session(false).call("apply_patch", "{\"patch\": ").text()).startsWith("Error parsing JSON: ");
        assertThat(session(false).call("apply_patch", "{}").text())
                .isEqualTo("Error applying patch: Patch text must start with *** Begin Patch");
        assertThat(session(false).call("apply_patch", "").failed()).isTrue();
        assertThat(session(false).call("rm", patch).text()).isEqualTo("{\"error\": \"Unknown function: rm\"}");
        assertThat(Files.exists(folder.resolve("rm"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
    }

    @Test
    void theInstructionsAreThoseOfTraining() throws NoSuchAlgorithmException, IOException {
        byte[] digest = MessageDigest.getInstance("SHA-256")
                .digest(ApplyPatchSession.INSTRUCTIONS.getBytes(StandardCharsets.UTF_8));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo("4346d15597a9cab3f4c05f88ccd88d11f91761c6c5289e36cbb1eb979531c9f7");
        assertThat(session(false).namespace().tools().getFirst().parameters())
                .isEqualTo(Json.parse("{\"type\":\"string\"}"));
    }
}
