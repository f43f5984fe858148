package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** {@code /v1/models}. */
public final class Models {
    private final ModelHost models;
    private final BuiltIns builtIns;

    public Models(ModelHost models, BuiltIns builtIns) {
        this.models = models;
        this.builtIns = builtIns;
    }

    /** With the tools that this server runs, as a request for a response lists them: OpenAI has no place for that. */
    public void list(Exchange exchange) throws IOException {
        List<Json> tools = new ArrayList<>();
        for (String type : new TreeSet<>(builtIns.byType().keySet())) {
            tools.add(object().put("type", type).build());
        }
        for (String label : new TreeSet<>(builtIns.mcp().byLabel().keySet())) {
            tools.add(object().put("type", "mcp").put("server_label", label).build());
        }
        exchange.send(object().put("object", "list")
                .put("data", Json.of(models.models().stream().map(Models::json).toList()))
                .put("tools", Json.of(tools))
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
