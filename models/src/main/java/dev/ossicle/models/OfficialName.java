package dev.ossicle.models;

import dev.ossicle.models.FoundModel.Format;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model that OpenAI published, under whichever of its names.
 *
 * @param safeguard whether it is the variant for classifying content
 * @param size "20b" or "120b"
 */
public record OfficialName(boolean safeguard, String size) {
    private static final Pattern ASKED = Pattern.compile("(?:openai/)?gpt-oss(-safeguard)?(?:[:-](20b|120b|latest))?");

    /** A name, then nothing but how the numbers are coded and which part it is. Anything else may be a fine-tune. */
    private static final Pattern STORED = Pattern.compile("gpt-oss(-safeguard)?[:-](20b|120b|latest)(?:\\.gguf)?"
            + "(?:[-._:](?:gguf|mxfp4|moe|b?f16|fp16|f32|ud|i?q\\d\\w*|\\d{5}-of-\\d{5}|latest))*");

    /** Up to this size something called "latest" is a 20b. */
    private static final long LARGEST_20B = 45_000_000_000L;

    /** What a user means: {@code gpt-oss}, {@code gpt-oss:120b}, {@code openai/gpt-oss-20b}; without a size the 20b. */
    public static Optional<OfficialName> of(String asked) {
        Matcher name = ASKED.matcher(asked.toLowerCase(Locale.ROOT));
        if (!name.matches()) {
            return Optional.empty();
        }
        String size = name.group(2);
        return Optional.of(
                new OfficialName(name.group(1) != null, size == null || size.equals("latest") ? "20b" : size));
    }

    /**
     * What a model on this machine is, as far as its name says that it is one of OpenAI's and not a fine-tune: safetensors of OpenAI's
     * own repositories, and GGUF files that anybody made of them.
     */
    public static Optional<OfficialName> of(FoundModel model) {
        String lower = model.name().toLowerCase(Locale.ROOT);
        List<String> parts = Arrays.stream(lower.split("/|_(?=gpt-oss)"))
                .filter(part -> part.contains("gpt-oss"))
                .toList();
        if (model.format() == Format.SAFETENSORS && !lower.startsWith("openai/")) {
            return Optional.empty();
        }
        Optional<OfficialName> official = Optional.empty();
        for (String part : parts) {
            Matcher name = STORED.matcher(part);
            if (!name.matches()) {
                return Optional.empty();
            }
            String size = name.group(2);
            official = Optional.of(new OfficialName(
                    name.group(1) != null,
                    !size.equals("latest") ? size : model.bytes() < LARGEST_20B ? "20b" : "120b"));
        }
        return official;
    }

    /** {@code openai/gpt-oss-20b}. */
    public String repository() {
        return "openai/" + this;
    }

    /** {@code gpt-oss-20b}. */
    @Override
    public String toString() {
        return "gpt-oss-" + (safeguard ? "safeguard-" : "") + size;
    }
}
