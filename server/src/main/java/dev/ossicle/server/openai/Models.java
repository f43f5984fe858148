package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;

/** {@code /v1/models}. */
public final class Models {
    private final ModelHost models;

    public Models(ModelHost models) {
        this.models = models;
    }

    public void list(Exchange exchange) throws IOException {
        exchange.send(object().put("object", "list")
                .put("data", Json.of(models.models().stream().map(Models::json).toList()))
                .build());
    }

    /** The name may have a slash in it. */
    public void get(Exchange exchange) throws IOException {
        exchange.send(json(models.find(exchange.pathParameter("model"))));
    }

    private static JsonObject json(InstalledModel model) {
        return object().put("id", model.name())
                .put("object", "model")
                .put("created", model.modified().getEpochSecond())
                .put("owned_by", "ossicle")
                .put("max_model_len", model.context())
                .build();
    }
}
