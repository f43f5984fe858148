package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.store.KeptFiles;
import dev.ossicle.server.store.KeptFiles.KeptFile;
import java.io.IOException;
import java.util.List;

/** {@code /v1/containers/{container}/files}: what Python left in its working folder. */
public final class Containers {
    private final KeptFiles files;

    public Containers(KeptFiles files) {
        this.files = files;
    }

    public void list(Exchange exchange) throws IOException {
        List<KeptFile> of = files.of(exchange.pathParameter("container"));
        exchange.send(object().put("object", "list")
                .put("data", Json.of(of.stream().map(Containers::json).toList()))
                .put(
                        "first_id",
                        of.isEmpty() ? JsonNull.NULL : Json.of(of.getFirst().id()))
                .put(
                        "last_id",
                        of.isEmpty() ? JsonNull.NULL : Json.of(of.getLast().id()))
                .put("has_more", false)
                .build());
    }

    public void get(Exchange exchange) throws IOException {
        exchange.send(json(find(exchange)));
    }

    public void content(Exchange exchange) throws IOException {
        exchange.send(200, "application/octet-stream", files.content(find(exchange)));
    }

    private KeptFile find(Exchange exchange) {
        String id = exchange.pathParameter("file");
        KeptFile file = files.get(exchange.pathParameter("container"), id);
        if (file == null) {
            throw ApiException.notFound(
                    "file",
                    "not_found",
                    "there is no file " + id + " in this container: files are kept for 20 minutes");
        }
        return file;
    }

    private static JsonObject json(KeptFile file) {
        return object().put("id", file.id())
                .put("object", "container.file")
                .put("container_id", file.container())
                .put("created_at", file.created().getEpochSecond())
                .put("bytes", file.bytes())
                .put("path", "/mnt/data/" + file.name())
                .put("source", "assistant")
                .build();
    }
}
