package dev.ossicle.models.hub;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a repository holds at one commit.
 *
 * @param name OWNER/NAME
 * @param revision the commit
 */
record Repository(String name, String revision, List<RemoteFile> files) {
    static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** Reads the answer of {@code /api/models/NAME/revision/REVISION?blobs=true}. */
    static Repository of(String name, String answer) {
        Json json;
        try {
            json = Json.parse(answer);
        } catch (JsonException e) {
            throw new PullException("the host's description of " + name + " is no JSON: " + e.getMessage());
        }
        if (!(json instanceof JsonObject object)
                || !(object.get("sha") instanceof JsonString sha)
                || !COMMIT.matcher(sha.value()).matches()
                || !(object.get("siblings") instanceof JsonArray siblings)) {
            throw new PullException("the host's description of " + name + " has no commit or no files");
        }
        List<RemoteFile> files = new ArrayList<>();
        Set<String> lowerCase = new HashSet<>();
        for (Json each : siblings.elements()) {
            if (!(each instanceof JsonObject file)) {
                throw new PullException("the host's description of " + name + " lists something that is no file");
            }
            String path = string(file, "rfilename");
            String plain = path == null ? "" : path;
            // Files that nobody wants may be called what they like.
            if (Selection.mayWant(plain)) {
                files.add(remoteFile(plain, file));
                if (!lowerCase.add(plain.toLowerCase(Locale.ROOT))) {
                    throw new PullException("the repository has two files named " + plain + " but for upper case");
                }
            }
        }
        return new Repository(name, sha.value(), List.copyOf(files));
    }

    private static RemoteFile remoteFile(String path, JsonObject file) {
        String blob = string(file, "blobId");
        String sha256 = file.get("lfs") instanceof JsonObject lfs ? string(lfs, "sha256") : null;
        long size = -1;
        try {
            size = file.get("size") instanceof JsonNumber number ? number.longValueExact() : -1;
        } catch (ArithmeticException e) {
            // said below
        }
        return new RemoteFile(path, size, sha256 != null ? sha256 : blob == null ? "" : blob);
    }

    private static @Nullable String string(JsonObject object, String name) {
        return object.get(name) instanceof JsonString text ? text.value() : null;
    }
}
