package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestSmallParts {
    @Test
    void everyControlCharacterIsMadeHarmless() {
        for (int c = 0; c < 0x3000; c++) {
            String harmless = Harmless.text("a" + (char) c + "b");
            boolean kept = c == '\n' || c == '\t';
            assertThat(harmless.chars().anyMatch(each -> Character.getType(each) == Character.CONTROL))
                    .as("%x", c)
                    .isEqualTo(kept);
            if (c < 0x20 && !kept) {
                assertThat(harmless).isEqualTo("a" + (char) (0x2400 + c) + "b");
            }
        }
        assertThat(Harmless.text("Grüße, 漢字 🎉\tund\r\nmehr")).isEqualTo("Grüße, 漢字 🎉\tund\nmehr");
        assertThat(Harmless.text("\u202Eevil\u2066")).isEqualTo("\uFFFDevil\uFFFD");
    }

    @ParameterizedTest
    @CsvSource({"abc,3", "漢字,4", "é,1", "🎉,2", "❤️,2", "'',0", "👍🏽,4", "👩‍👩‍👧‍👦,8", "ｆ,2", "a​b,2"})
    void widthsAreThoseOfTheWidestTerminals(String text, int width) {
        assertThat(Cells.width(text)).isEqualTo(width);
    }

    @Test
    void clustersAreNotCut() {
        String family = "👩‍👩‍👧‍👦";
        assertThat(Cells.fit("ab" + family, 0, 2 + family.length(), 5)).isEqualTo(2);
        assertThat(Cells.fit(family + "x", 0, family.length() + 1, 3)).isEqualTo(family.length());
        assertThat(Cells.fit("ae\u0301b", 0, 4, 2)).isEqualTo(3);
    }

    @Test
    void wordsAreWrappedAndIndentationIsNoLine() {
        assertThat(Wrap.words(new AttributedString("   a long-ish text of words"), 10))
                .extracting(AttributedString::toString)
                .containsExactly("   a", "long-ish", "text of", "words");
        assertThat(Wrap.words(new AttributedString("\n\nx\n"), 10)).hasSize(4);
        assertThat(Wrap.hard(new AttributedString("    ab cd"), 5))
                .extracting(AttributedString::toString)
                .containsExactly("    a", "b cd");
    }

    @ParameterizedTest
    @CsvSource({
        "/retry,RETRY,''",
        "/reasoning high,REASONING,high",
        "/set  parameter   seed 5,SET,parameter   seed 5",
        "/?,HELP,''",
        "/help set,HELP,set",
        "/EXIT,BYE,''",
        "/save  a b ,SAVE,a b"
    })
    void commandsAreUnderstood(String line, Command command, String rest) {
        assertThat(Command.parse(line)).isEqualTo(new Command.Entered(command, rest));
    }

    @ParameterizedTest
    @CsvSource({
        "/cler,/clear",
        "/retyr,/retry",
        "/reason,/reasoning",
        "/sav,/save",
        "/lod,/load",
        "/xyzzy,",
        "/etc/hosts,"
    })
    void theNearestCommandIsHinted(String typed, String nearest) {
        assertThat(Command.parse(typed)).isNull();
        assertThat(Command.nearest(typed, Command.words())).isEqualTo(nearest);
    }

    @Test
    void everyCommandHasHelp() {
        for (Command command : Command.values()) {
            assertThat(Help.text("")).contains(command.word, command.help);
            assertThat(Help.text(command.word.substring(1))).startsWith(command.word);
        }
    }

    @ParameterizedTest
    @CsvSource({"linux,/x/.local/state/ossicle", "Mac OS X,/x/Library/Application Support/ossicle"})
    void stateIsWhereTheSystemKeepsIt(String system, String folder) {
        assertThat(StateFolder.of(Map.<String, String>of()::get, system, Path.of("/x")))
                .isEqualTo(Path.of(folder));
        assertThat(StateFolder.of(Map.of("XDG_STATE_HOME", "/s")::get, "linux", Path.of("/x")))
                .isEqualTo(Path.of("/s/ossicle"));
        assertThat(StateFolder.of(Map.of("OSSICLE_STATE", "/own")::get, system, Path.of("/x")))
                .isEqualTo(Path.of("/own"));
    }

    private static final SavedConversation SAVED = new SavedConversation(
            "nano",
            "Be brief.",
            List.of(
                    Message.of(Role.USER, "Hi"),
                    Message.of(Role.ASSISTANT, "{}")
                            .withChannel("commentary")
                            .withRecipient("functions.f")
                            .withContentType("<|constrain|>json"),
                    Message.toolResult("functions.f", "commentary", "ok\u001b"),
                    Message.of(Role.ASSISTANT, "Héllo 🎉").withChannel("final")),
            Set.of(3));

    @Test
    void conversationsComeBackAsTheyWereKept(@TempDir Path folder) throws IOException {
        ConversationStore store = new ConversationStore(folder.resolve("new"));
        assertThat(store.names()).isEmpty();
        Path file = store.save("first", SAVED);
        store.save("first", SAVED);
        assertThat(store.load("first")).isEqualTo(SAVED);
        assertThat(store.load(file.toString())).isEqualTo(SAVED);
        assertThat(store.names()).containsExactly("first");
        assertThat(folder.resolve("new")).isDirectoryNotContaining("glob:**.new");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("new"))))
                .isEqualTo("rwx------");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "../x y\0", "a b", "-x", ".hidden", "a:b\n"})
    void badNamesAreRefused(String name, @TempDir Path folder) {
        ConversationStore store = new ConversationStore(folder);
        assertThatThrownBy(() -> store.save(name, SAVED)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.load(name)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '§',
            value = {
                "''§not JSON",
                "{\"format\"§not JSON",
                "[]§no conversation",
                "{}§no conversation",
                "{\"format\":\"ossicle-conversation-2\"}§ossicle-conversation-1",
                "{\"format\":\"ossicle-conversation-1\"}§messages",
                "{\"format\":\"ossicle-conversation-1\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},5]}§message 1",
                "{\"format\":\"ossicle-conversation-1\",\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]}§message 0",
                "{\"format\":\"ossicle-conversation-1\",\"messages\":[{\"role\":\"tool\",\"content\":\"a\"}]}§message 0"
            })
    void aBrokenFileIsTold(String content, String message, @TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("x.json"), content);
        assertThatThrownBy(() -> new ConversationStore(folder).load("x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("x.json")
                .hasMessageContaining(message);
    }

    @Test
    void whatIsNoTextIsTold(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("x.json"), new byte[] {(byte) 0xFF, 0});
        assertThatThrownBy(() -> new ConversationStore(folder).load("x")).hasMessageContaining("UTF-8");
        assertThatThrownBy(() -> new ConversationStore(folder).load("y")).hasMessageContaining("there are: x");
        Files.createDirectory(folder.resolve("z.json"));
        assertThatThrownBy(() -> new ConversationStore(folder).load("z")).hasMessageContaining("no file");
    }
}
