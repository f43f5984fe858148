package dev.ossicle.models.hub;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What was pulled into a folder, as {@code ossicle.json} in it says: only what is named there is Ossicle's to check and to remove. */
public record StoredRepository(String name, String revision, List<StoredFile> files) {
    static final String FILE = "ossicle.json";

    /** @param digest hexadecimal: SHA-256, or git's SHA-1 of a blob where the hub knows no other */
    public record StoredFile(String path, long size, String digest) {}

    static StoredRepository of(Repository repository, List<RemoteFile> files) {
        return new StoredRepository(
                repository.name(),
                repository.revision(),
                files.stream()
                        .map(file -> new StoredFile(file.path(), file.size(), file.digest()))
                        .toList());
    }

    /** Empty if nothing was pulled into this folder, or its description is broken. */
    public static Optional<StoredRepository> in(Path folder) {
        try {
            if (!(Json.parse(Files.readString(folder.resolve(FILE))) instanceof JsonObject object)
                    || !(object.get("repository") instanceof JsonString name)
                    || !(object.get("revision") instanceof JsonString revision)
                    || !(object.get("files") instanceof JsonArray array)) {
                return Optional.empty();
            }
            List<StoredFile> files = new ArrayList<>();
            for (Json each : array.elements()) {
                if (!(each instanceof JsonObject file)
                        || !(file.get("path") instanceof JsonString path)
                        || !(file.get("size") instanceof JsonNumber size)
                        || !(file.get("digest") instanceof JsonString digest)
                        || !RemoteFile.isSafe(path.value())) {
                    return Optional.empty();
                }
                files.add(new StoredFile(path.value(), size.longValueExact(), digest.value()));
            }
            return Optional.of(new StoredRepository(name.value(), revision.value(), List.copyOf(files)));
        } catch (IOException | JsonException | ArithmeticException e) {
            return Optional.empty();
        }
    }

    void writeTo(Path folder) throws IOException {
        List<Json> array = new ArrayList<>();
        for (StoredFile file : files) {
            array.add(JsonObject.builder()
                    .put("path", file.path())
                    .put("size", file.size())
                    .put("digest", file.digest())
                    .build());
        }
        Files.writeString(
                folder.resolve(FILE),
                JsonObject.builder()
                                .put("repository", name)
                                .put("revision", revision)
                                .put("files", Json.of(array))
                                .build()
                        + "\n");
    }

    /** Whether every file is there in its length. */
    boolean isWholeIn(Path folder) throws IOException {
        for (StoredFile file : files) {
            Path path = folder.resolve(file.path());
            if (!Files.isRegularFile(path) || Files.size(path) != file.size()) {
                return false;
            }
        }
        return true;
    }

    public long bytes() {
        return files.stream().mapToLong(StoredFile::size).sum();
    }
}
