package dev.ossicle.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What to encode: this repository's prose and code, and a mix of scripts. */
final class Texts {
    private static final String[] SCRIPTS = {
        "the quick brown fox ",
        "Привет, мир! ",
        "東京都に住んでいます。",
        "안녕하세요 세계 ",
        "नमस्ते दुनिया ",
        "مرحبا بالعالم ",
        "สวัสดีชาวโลก",
        "שלום עולם ",
        "🙂👩‍💻🇫🇷 ",
        "naïve café 3.14159\n",
        "{\"key\": [1, 2]}\n\n    "
    };

    private Texts() {}

    static String named(String name) {
        return switch (name) {
            case "prose" -> files(".md");
            case "code" -> files(".java");
            case "scripts" -> {
                SplittableRandom random = new SplittableRandom(1);
                StringBuilder text = new StringBuilder();
                while (text.length() < 300_000) {
                    text.append(SCRIPTS[random.nextInt(SCRIPTS.length)]);
                }
                yield text.toString();
            }
            default -> throw new IllegalArgumentException("no text is named " + name);
        };
    }

    private static String files(String end) {
        try (Stream<Path> paths = Files.walk(Path.of(""))) {
            return paths.filter(path -> path.toString().endsWith(end)
                            && !path.toString().contains("target")
                            && !path.toString().contains("node_modules"))
                    .sorted()
                    .map(Texts::read)
                    .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
