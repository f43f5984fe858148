package dev.ossicle.models.hub;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A file of a repository.
 *
 * @param path with "/" between its parts
 * @param digest hexadecimal: SHA-256 of the content (64 digits), or git's SHA-1 of a blob (40)
 */
record RemoteFile(String path, long size, String digest) {
    private static final Pattern PART = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._+=-]{0,199}");
    private static final Set<String> DEVICES = Set.of("con", "prn", "aux", "nul");
    private static final int DEEPEST = 6;

    RemoteFile {
        if (!isSafe(path)) {
            throw new PullException("the repository has a file named \"" + path + "\", which may not be written here");
        }
        if (size < 0 || !digest.matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
            throw new PullException("the host says no size and digest of " + path + ", so it cannot be checked");
        }
    }

    /** Whether a name leads to a file below the folder that it is resolved against, on any system. */
    static boolean isSafe(String path) {
        String[] parts = path.split("/", -1);
        if (parts.length > DEEPEST) {
            return false;
        }
        for (String part : parts) {
            String stem = part.toLowerCase(Locale.ROOT).replaceFirst("\\..*", "");
            if (!PART.matcher(part).matches()
                    || part.endsWith(".")
                    || DEVICES.contains(stem)
                    || stem.matches("(com|lpt)\\d")) {
                return false;
            }
        }
        return true;
    }
}
