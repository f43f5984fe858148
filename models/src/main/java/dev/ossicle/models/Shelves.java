package dev.ossicle.models;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** All models on this machine. */
public final class Shelves {
    private final List<Shelf> shelves;

    public Shelves(Environment environment) {
        shelves = environment.shelves();
    }

    /** Every model, Ossicle's own first. */
    public List<FoundModel> all() {
        List<FoundModel> all = new ArrayList<>();
        shelves.forEach(shelf -> all.addAll(shelf.models()));
        return all;
    }

    /** Where models are looked for. */
    public List<Path> folders() {
        return shelves.stream().flatMap(shelf -> shelf.folders().stream()).toList();
    }

    /**
     * What a name means: the model that is listed under it, or an official model under any of its names. Complete ones come first, then
     * those of the shelf that is searched first.
     */
    public Optional<FoundModel> find(String name) {
        List<FoundModel> all = all();
        Optional<FoundModel> listed =
                best(all.stream().filter(model -> isCalled(model, name)).toList());
        if (listed.isPresent()) {
            return listed;
        }
        return OfficialName.of(name)
                .flatMap(official -> best(all.stream()
                        .filter(model -> OfficialName.of(model).equals(Optional.of(official)))
                        .toList()));
    }

    private static Optional<FoundModel> best(List<FoundModel> candidates) {
        return candidates.stream().min(Comparator.comparing(model -> !model.isComplete()));
    }

    private static boolean isCalled(FoundModel model, String name) {
        String listed = model.name();
        return listed.equalsIgnoreCase(name)
                || listed.equalsIgnoreCase(name + ".gguf")
                || listed.equalsIgnoreCase(name + ":latest")
                // a repository that holds GGUF files, or a file wherever it is
                || (listed.endsWith(".gguf")
                        && (listed.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + "/")
                                || listed.substring(listed.lastIndexOf('/') + 1).equalsIgnoreCase(name)));
    }

    /**
     * What to run when nobody says: of OpenAI's models for conversation the largest that fits, else the smallest.
     *
     * @param memory bytes that weights may take
     */
    public Optional<FoundModel> preferred(long memory) {
        List<FoundModel> candidates = all().stream()
                .filter(FoundModel::isComplete)
                .filter(model ->
                        OfficialName.of(model).filter(name -> !name.safeguard()).isPresent())
                .toList();
        Optional<FoundModel> fits = candidates.stream()
                .filter(model -> model.bytes() <= memory)
                .max(Comparator.comparing((FoundModel model) ->
                        OfficialName.of(model).orElseThrow().size().equals("120b")));
        return fits.or(() -> candidates.stream().min(Comparator.comparingLong(FoundModel::bytes)));
    }
}
