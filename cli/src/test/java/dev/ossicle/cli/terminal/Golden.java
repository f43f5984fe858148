package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jline.utils.AttributedString;

/** Screens that were looked at once; {@code -Dossicle.golden=write} writes them again, to be looked at. */
final class Golden {
    private static final Path FOLDER = Path.of("src/test/resources/dev/ossicle/cli/terminal");

    private Golden() {}

    static String read(String name) throws IOException {
        return Files.readString(FOLDER.resolve(name));
    }

    static void check(String name, String actual) throws IOException {
        Path file = FOLDER.resolve(name);
        if ("write".equals(System.getProperty("ossicle.golden"))) {
            Files.writeString(file, actual);
        }
        assertThat(actual).as(name).isEqualTo(Files.readString(file));
    }

    /** Escape sequences can be read: ‹1:bold›. */
    static String text(List<AttributedString> lines) {
        return lines.stream()
                .map(line -> Ansi.text(line)
                        .replaceAll("\u001b\\[0?m", "›")
                        .replaceAll("\u001b\\[([0-9;]*)m", "‹$1:")
                        .stripTrailing())
                .collect(Collectors.joining("\n", "", "\n"));
    }
}
