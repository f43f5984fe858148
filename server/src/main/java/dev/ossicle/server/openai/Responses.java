package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.ModelHost;
import dev.ossicle.server.store.ResponseStore;
import dev.ossicle.server.store.ResponseStore.Stored;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** {@code /v1/responses}. */
public final class Responses {
    private final ModelHost models;
    private final Answers answers;
    private final ResponseStore store;

    public Responses(ModelHost models, Answers answers, ResponseStore store) {
        this.models = models;
        this.answers = answers;
        this.store = store;
    }

    public void create(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            ResponsesRequest asked = ResponsesRequest.read(
                    body, answers, store, lease.model().engine().config().vocabulary(), true);
            try {
                answer(exchange, lease, body, asked);
            } finally {
                asked.mcp().close();
            }
        }
    }

    private void answer(Exchange exchange, ModelHost.Lease lease, Fields body, ResponsesRequest asked)
            throws IOException, InterruptedException {
        exchange.ignored(asked.ignored());
        ApiException failure = asked.mcp().failure();
        if (failure != null && !asked.stream()) {
            throw failure;
        }
        String model = body.string("model", lease.installed().name());
        Tokenizer tokenizer = lease.model().harmony().tokenizer();
        if (failure != null) {
            EventStream stream = exchange.stream(EventStream.Format.EVENTS, () -> {});
            ResponseWriter writer = new ResponseWriter(asked, model, tokenizer, stream::send);
            writer.begin();
            writer.fail(failure);
            return;
        }
        try (Runs runs = new Runs()) {
            AnswerRun run = new AnswerRun(answers, lease.model(), asked.request(), List.of(), asked.sessions());
            runs.add(run);
            if (asked.stream()) {
                EventStream stream = exchange.stream(EventStream.Format.EVENTS, runs::cancel);
                ResponseWriter writer = new ResponseWriter(asked, model, tokenizer, stream::send);
                run.goesOnFrom(writer.id());
                stream(runs, writer, asked, exchange, model);
            } else {
                exchange.watch(runs::cancel);
                ResponseWriter writer = new ResponseWriter(asked, model, tokenizer, (type, event) -> {});
                run.goesOnFrom(writer.id());
                writer.before();
                Outcome outcome = runs.read(index -> writer).getFirst();
                if (outcome.end() == Outcome.End.SHUTDOWN) {
                    throw Runs.shutdown();
                }
                exchange.note(Runs.note(model, List.of(outcome)));
                JsonObject response = writer.finish(outcome);
                keep(writer.id(), response, asked, outcome);
                exchange.send(response);
            }
        }
    }

    private void stream(Runs runs, ResponseWriter writer, ResponsesRequest asked, Exchange exchange, String model)
            throws IOException, InterruptedException {
        try {
            writer.begin();
            Outcome outcome = runs.read(index -> writer).getFirst();
            exchange.note(Runs.note(model, List.of(outcome)));
            if (outcome.end() == Outcome.End.SHUTDOWN) {
                writer.fail(Runs.shutdown());
                return;
            }
            JsonObject response = writer.finish(outcome);
            keep(writer.id(), response, asked, outcome); // before it is told
            writer.end(response);
        } catch (RuntimeException e) {
            writer.fail(Runs.error(e));
            throw e;
        }
    }

    private void keep(String id, JsonObject response, ResponsesRequest asked, Outcome outcome) {
        if (asked.store() && outcome.end() != Outcome.End.CANCELLED) {
            store.put(id, new Stored(response, asked.input(), asked.previous()));
        }
    }

    /** How many tokens a request would have. */
    public void countTokens(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            ResponsesRequest asked = ResponsesRequest.read(
                    body, answers, store, lease.model().engine().config().vocabulary(), false);
            asked.mcp().close();
            exchange.send(object().put("object", "response.input_tokens")
                    .put("input_tokens", lease.model().prompt(asked.request()).length)
                    .build());
        }
    }

    public void get(Exchange exchange) throws IOException {
        if ("true".equals(exchange.query("stream"))) {
            throw ApiException.badRequest("stream", "a stored response cannot be streamed again");
        }
        exchange.send(stored(exchange).response());
    }

    public void delete(Exchange exchange) throws IOException {
        String id = exchange.pathParameter("id");
        if (!store.delete(id)) {
            throw unknown(id);
        }
        exchange.send(object().put("id", id)
                .put("object", "response")
                .put("deleted", true)
                .build());
    }

    public void cancel(Exchange exchange) {
        stored(exchange);
        throw ApiException.badRequest(
                null,
                "only background responses can be cancelled, which are not supported: close the connection instead");
    }

    public void inputItems(Exchange exchange) throws IOException {
        List<Json> items = new ArrayList<>(stored(exchange).input().elements());
        if (!"asc".equals(exchange.query("order"))) {
            Collections.reverse(items); // as OpenAI does by default
        }
        exchange.send(object().put("object", "list")
                .put("data", Json.of(items))
                .put("first_id", items.isEmpty() ? JsonNull.NULL : id(items.getFirst()))
                .put("last_id", items.isEmpty() ? JsonNull.NULL : id(items.getLast()))
                .put("has_more", false)
                .build());
    }

    private static Json id(Json item) {
        Json id = item instanceof JsonObject object ? object.get("id") : null;
        return id == null ? JsonNull.NULL : id;
    }

    private Stored stored(Exchange exchange) {
        String id = exchange.pathParameter("id");
        Stored stored = store.get(id);
        if (stored == null) {
            throw unknown(id);
        }
        return stored;
    }

    private static ApiException unknown(String id) {
        return ApiException.notFound("response_id", "response_not_found", "there is no response " + id);
    }
}
