package dev.ossicle.models.hub;

import dev.ossicle.models.OfficialName;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants.
 *
 * @param repository OWNER/NAME
 * @param revision a branch, tag or commit; null for the one that is known, else for {@code main}
 * @param file part of the name of a GGUF file; null for none
 */
public record PullRequest(
        String repository,
        @Nullable String revision,
        @Nullable String file) {
    private static final Pattern WORD =
            Pattern.compile("(?:hf\\.co/|https://huggingface\\.co/)?([^/:]+/[^/:]+)(?::(.+))?");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}");

    /** Reads {@code gpt-oss-20b}, {@code gpt-oss:120b}, {@code OWNER/NAME}, {@code OWNER/NAME:PART-OF-A-GGUF-FILE'S-NAME}. */
    public static PullRequest of(String word, @Nullable String revision) {
        if (revision != null && !REVISION.matcher(revision).matches()) {
            throw new PullException("the revision is \"" + revision + "\", expected a branch, tag or commit");
        }
        Optional<OfficialName> official = OfficialName.of(word);
        if (official.isPresent()) {
            return new PullRequest(official.get().repository(), revision, null);
        }
        Matcher name = WORD.matcher(word);
        if (!name.matches()
                || !Repository.NAME.matcher(name.group(1)).matches()
                || name.group(1).contains("..")) {
            throw new PullException("\"" + word + "\" names no model: expected gpt-oss-20b, gpt-oss-120b,"
                    + " gpt-oss-safeguard-20b, gpt-oss-safeguard-120b or OWNER/NAME of the Hugging Face hub");
        }
        return new PullRequest(name.group(1), revision, name.group(2));
    }
}
