package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestLiveRegion {
    /** What left the region stands above what is in it, after any changes. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void theScreenShowsWhatWasFinishedAndWhatIsLive(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        VirtualScreen screen = new VirtualScreen("xterm-256color", 40, 12);
        LiveRegion region = new LiveRegion(screen.terminal(), seed % 2 == 0);
        List<String> above = new ArrayList<>();
        List<String> live = List.of();
        for (int step = 0; step < 300; step++) {
            List<String> lines = change(live, random);
            int finished = random.nextInt(3) == 0 ? random.nextInt(lines.size() + 1) : 0;
            region.update(styled(lines.subList(0, finished)), styled(lines.subList(finished, lines.size())));
            above.addAll(lines.subList(0, finished));
            live = lines.subList(finished, lines.size());
            List<String> expected = new ArrayList<>(above);
            expected.addAll(live);
            assertThat(screen.text())
                    .as("seed %d, step %d", seed, step)
                    .isEqualTo(String.join("\n", expected).stripTrailing());
        }
    }

    /** Fewer lines than the screen has: those that left it could not be changed. */
    private static List<String> change(List<String> lines, SplittableRandom random) {
        List<String> changed = new ArrayList<>(lines);
        switch (random.nextInt(5)) {
            case 0 -> changed.add("line " + random.nextInt(1000));
            case 1 -> {
                if (!changed.isEmpty()) {
                    changed.set(
                            changed.size() - 1,
                            (changed.getLast() + " more")
                                    .substring(0, Math.min(30, changed.getLast().length() + 5)));
                }
            }
            case 2 -> {
                if (!changed.isEmpty()) {
                    changed.set(random.nextInt(changed.size()), "漢字 " + random.nextInt(1000));
                }
            }
            case 3 -> {
                if (!changed.isEmpty()) {
                    changed.remove(random.nextInt(changed.size()));
                }
            }
            default -> changed.add("");
        }
        return changed.size() > 11 ? changed.subList(0, 11) : changed;
    }

    private static List<AttributedString> styled(List<String> lines) {
        return lines.stream()
                .map(line -> new AttributedString(line, line.startsWith("l") ? Styles.HEADING : Styles.PLAIN))
                .toList();
    }

    @Test
    void whatGrowsAtItsEndIsNotPaintedAgain() throws IOException {
        VirtualScreen screen = new VirtualScreen("xterm-256color", 80, 24);
        LiveRegion region = new LiveRegion(screen.terminal(), true);
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < 60; i++) {
            line.append((char) ('a' + i % 26));
            region.update(List.of(), List.of(new AttributedString("first"), new AttributedString(line)));
        }
        assertThat(screen.written()).isEqualTo("first\r\n" + line);
    }

    @Test
    void linesThatLeftTheScreenAreNotPaintedAgain() throws IOException {
        VirtualScreen screen = new VirtualScreen("xterm-256color", 80, 5);
        LiveRegion region = new LiveRegion(screen.terminal(), false);
        List<AttributedString> lines = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            lines.add(new AttributedString("old " + i));
            region.update(List.of(), lines);
        }
        lines.replaceAll(line -> new AttributedString(line.toString().replace("old", "new")));
        region.update(lines, List.of());
        assertThat(screen.text().lines().filter(line -> line.startsWith("old"))).hasSize(15);
        assertThat(screen.text().lines().filter(line -> line.startsWith("new"))).hasSize(5);
    }

    @Test
    void aNarrowerScreenLosesNothing() throws IOException {
        VirtualScreen screen = new VirtualScreen("xterm-256color", 80, 24);
        LiveRegion region = new LiveRegion(screen.terminal(), false);
        region.print(List.of(new AttributedString("above")));
        region.update(List.of(), List.of(new AttributedString("one two three four five six seven eight nine ten")));
        screen.resize(20, 24);
        region.update(List.of(), List.of(new AttributedString("one two three four"), new AttributedString("five")));
        screen.resize(60, 24);
        region.update(List.of(), List.of(new AttributedString("one two three four five")));
        region.settle();
        assertThat(screen.text()).startsWith("above\none two three four f").endsWith("\none two three four five");
    }
}
