package dev.ossicle.models.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which files of a repository are one copy of a model: OpenAI's repositories hold three. */
final class Selection {
    /** What goes with weights. */
    private static final Set<String> BESIDE = Set.of(
            "config.json",
            "generation_config.json",
            "model.safetensors.index.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "license",
            "usage_policy",
            "readme.md");

    private static final Pattern PART = Pattern.compile("(.*)-\\d{5}-of-\\d{5}\\.gguf");

    private Selection() {}

    static boolean mayWant(String path) {
        String lower = path.replace('\\', '/').toLowerCase(Locale.ROOT);
        return lower.endsWith(".safetensors")
                || lower.endsWith(".gguf")
                || BESIDE.contains(lower.substring(lower.lastIndexOf('/') + 1));
    }

    /**
     * The safetensors at the root, else those in {@code original/}, else a GGUF file with all its parts.
     *
     * @param wanted part of a GGUF file's name, to choose among several; null for none
     */
    static List<RemoteFile> of(Repository repository, @Nullable String wanted) {
        List<RemoteFile> files = repository.files();
        if (wanted == null) {
            for (String folder : List.of("", "original/")) {
                if (files.stream()
                        .anyMatch(file -> isIn(file, folder) && file.path().endsWith(".safetensors"))) {
                    return files.stream()
                            .filter(file -> isIn(file, folder) && !file.path().endsWith(".gguf"))
                            .toList();
                }
            }
        }
        TreeMap<String, List<RemoteFile>> models = new TreeMap<>();
        for (RemoteFile file : files) {
            if (file.path().endsWith(".gguf")
                    && !file.path().toLowerCase(Locale.ROOT).contains("mmproj")) {
                Matcher part = PART.matcher(file.path());
                models.computeIfAbsent(part.matches() ? part.group(1) : file.path(), any -> new ArrayList<>())
                        .add(file);
            }
        }
        if (models.isEmpty()) {
            throw new PullException(repository.name() + " holds neither safetensors nor GGUF files");
        }
        List<String> names = models.keySet().stream()
                .filter(name ->
                        wanted == null || name.toLowerCase(Locale.ROOT).contains(wanted.toLowerCase(Locale.ROOT)))
                .toList();
        if (names.size() > 1) {
            // The experts are MXFP4 in all of them; the file that says so has changed nothing.
            List<String> untouched = names.stream()
                    .filter(name -> name.toLowerCase(Locale.ROOT).contains("mxfp4"))
                    .toList();
            names = untouched.size() == 1 ? untouched : names;
        }
        if (names.size() != 1) {
            throw new PullException((names.isEmpty() ? "no" : names.size()) + " GGUF files of " + repository.name()
                    + " fit" + (wanted == null ? "" : " \"" + wanted + "\"") + ": name one as " + repository.name()
                    + ":PART-OF-ITS-NAME; there are " + String.join(", ", models.keySet()));
        }
        List<RemoteFile> selected = new ArrayList<>(models.get(names.getFirst()));
        files.stream()
                .filter(file -> isIn(file, "")
                        && !file.path().endsWith(".gguf")
                        && !file.path().endsWith(".safetensors"))
                .forEach(selected::add);
        return selected;
    }

    private static boolean isIn(RemoteFile file, String folder) {
        return file.path().startsWith(folder) && file.path().indexOf('/', folder.length()) < 0;
    }
}
