package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.Logprob;
import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.RawRun;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/completions}: goes on with a text as it is. There is no conversation: whoever wants one writes Harmony's
 * control tokens, which are read as such.
 */
public final class Completions {
    /** OpenAI's, which is short. */
    private static final int DEFAULT_TOKENS = 16;

    private static final int MAX_CHOICES = 64;
    private static final int MAX_LOGPROBS = 5;

    private final ModelHost models;
    private final Answers answers;

    public Completions(ModelHost models, Answers answers) {
        this.models = models;
        this.answers = answers;
    }

    private record Asked(
            String model,
            List<int[]> prompts,
            int choices,
            GenerationRequest request,
            List<String> stops,
            boolean seeded,
            boolean echo,
            int logprobs) {}

    public void handle(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            LocalModel model = lease.model();
            Asked asked = read(body, body.string("model", lease.installed().name()), model);
            List<RawRun> runs = new ArrayList<>();
            try {
                for (int[] prompt : asked.prompts) {
                    for (int i = 0; i < asked.choices; i++) {
                        runs.add(new RawRun(answers, model, request(asked, prompt, runs.size()), asked.stops));
                    }
                }
                Runnable cancel = () -> runs.forEach(RawRun::cancel);
                if (body.bool("stream", false)) {
                    Fields options = body.fields("stream_options");
                    stream(
                            exchange.stream(EventStream.Format.EVENTS, cancel),
                            exchange,
                            asked,
                            runs,
                            model.harmony().tokenizer(),
                            options != null && options.bool("include_usage", false));
                } else {
                    exchange.watch(cancel);
                    whole(exchange, asked, runs, model.harmony().tokenizer());
                }
            } finally {
                runs.forEach(RawRun::close);
            }
        }
    }

    private Asked read(Fields body, String name, LocalModel model) {
        body.refuse("suffix", "gpt-oss cannot fill in");
        long best = body.integer("best_of", 1, 1, MAX_CHOICES);
        int choices = (int) body.integer("n", 1, 1, MAX_CHOICES);
        if (best > choices) {
            throw body.bad("best_of", "best_of above n is not supported");
        }
        Tokenizer tokenizer = model.harmony().tokenizer();
        int vocabulary = model.engine().config().vocabulary();
        ChatOptions options = Settings.sampling(body, ChatOptions.DEFAULT);
        int logprobs = (int) body.integer("logprobs", -1, 0, MAX_LOGPROBS);
        List<int[]> prompts = prompts(body, tokenizer);
        GenerationRequest request = new GenerationRequest(
                prompts.getFirst(),
                options.sampling(),
                (int) body.integer("max_tokens", DEFAULT_TOKENS, 1, Integer.MAX_VALUE),
                stopTokens(tokenizer),
                logprobs,
                null,
                0,
                answers.timeout(),
                Settings.adjustments(body, vocabulary));
        return new Asked(
                name,
                prompts,
                choices,
                request,
                Settings.stops(body, "stop"),
                options.seeded(),
                body.bool("echo", false),
                logprobs);
    }

    /** A conversation's turn ends with the first two, a document with the third. */
    private static Set<Integer> stopTokens(Tokenizer tokenizer) {
        Set<Integer> stops = new HashSet<>();
        for (String name : List.of("<|return|>", "<|call|>", "<|endoftext|>")) {
            tokenizer.special(name).ifPresent(stops::add);
        }
        return stops;
    }

    private static List<int[]> prompts(Fields body, Tokenizer tokenizer) {
        Json prompt = body.get("prompt");
        List<int[]> prompts = new ArrayList<>();
        if (prompt instanceof JsonArray array && array.size() > 0 && !(array.get(0) instanceof JsonNumber)) {
            array.elements().forEach(each -> prompts.add(prompt(body, each, tokenizer)));
        } else {
            prompts.add(prompt(body, prompt == null ? Json.of("") : prompt, tokenizer));
        }
        if (prompts.size() > MAX_CHOICES) {
            throw body.bad("prompt", "prompt has " + prompts.size() + " texts, " + MAX_CHOICES + " are allowed");
        }
        return prompts;
    }

    private static int[] prompt(Fields body, Json prompt, Tokenizer tokenizer) {
        return switch (prompt) {
            case JsonString text
            when text.value().isEmpty() ->
                // As OpenAI does: the beginning of a document.
                new int[] {
                    tokenizer
                            .special("<|endoftext|>")
                            .orElseThrow(() -> body.bad("prompt", "prompt is empty: give a text to go on with"))
                };
            case JsonString text -> tokenizer.encode(text.value(), tokenizer.specialNames());
            case JsonArray tokens
            when tokens.size() > 0 -> {
                int[] ids = new int[tokens.size()];
                for (int i = 0; i < ids.length; i++) {
                    if (!(tokens.get(i) instanceof JsonNumber id) || !id.isInteger()) {
                        throw body.bad("prompt", "prompt must be a text, token ids, or an array of either");
                    }
                    ids[i] = id.intValueExact();
                    if (!tokenizer.hasToken(ids[i])) {
                        throw body.bad(
                                "prompt", "prompt has the token id " + ids[i] + ", which the vocabulary has not");
                    }
                }
                yield ids;
            }
            default -> throw body.bad("prompt", "prompt must be a text, token ids, or an array of either");
        };
    }

    private static GenerationRequest request(Asked asked, int[] prompt, int number) {
        GenerationRequest like = asked.request;
        Sampling sampling = like.sampling();
        return new GenerationRequest(
                prompt,
                sampling.withSeed(
                        asked.seeded
                                ? sampling.seed() + number
                                : ThreadLocalRandom.current().nextLong()),
                like.maxTokens(),
                like.stopTokens(),
                like.topLogprobs(),
                null,
                like.priority(),
                like.timeout(),
                like.adjustments());
    }

    private static JsonObject.Builder begin(String id, long created, String model) {
        return object().put("id", id)
                .put("object", "text_completion")
                .put("created", created)
                .put("model", model)
                .put("system_fingerprint", "ossicle");
    }

    private static Json choice(int index, String text, @Nullable Json logprobs, @Nullable String finish) {
        return object().put("index", index)
                .put("text", text)
                .put("logprobs", logprobs == null ? JsonNull.NULL : logprobs)
                .put("finish_reason", finish == null ? JsonNull.NULL : Json.of(finish))
                .build();
    }

    private static void whole(Exchange exchange, Asked asked, List<RawRun> runs, Tokenizer tokenizer)
            throws IOException, InterruptedException {
        List<Outcome> outcomes = new ArrayList<>();
        List<Json> choices = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            Outcome outcome = runs.get(i).read((text, tokens) -> {});
            if (outcome.end() == Outcome.End.SHUTDOWN) {
                throw Runs.shutdown();
            }
            outcomes.add(outcome);
            List<Token> tokens =
                    outcome.texts().stream().flatMap(t -> t.tokens().stream()).toList();
            choices.add(choice(
                    i,
                    echo(asked, i, tokenizer) + outcome.text(),
                    asked.logprobs < 0 ? null : logprobs(tokens, tokenizer),
                    Wire.finish(outcome.end())));
        }
        exchange.note(Runs.note(asked.model, outcomes));
        exchange.send(begin(Ids.next("cmpl-"), Instant.now().getEpochSecond(), asked.model)
                .put("choices", Json.of(choices))
                .put("usage", Wire.usage(usage(asked, outcomes)))
                .build());
    }

    private static void stream(
            EventStream stream,
            Exchange exchange,
            Asked asked,
            List<RawRun> runs,
            Tokenizer tokenizer,
            boolean includeUsage)
            throws IOException, InterruptedException {
        String id = Ids.next("cmpl-");
        long created = Instant.now().getEpochSecond();
        List<Outcome> outcomes = new ArrayList<>();
        try {
            // One after the other: all are computed side by side, and wait in their queues.
            for (int i = 0; i < runs.size(); i++) {
                int index = i;
                String echo = echo(asked, i, tokenizer);
                if (!echo.isEmpty()) {
                    stream.send(begin(id, created, asked.model)
                            .put("choices", Json.of(List.of(choice(index, echo, null, null))))
                            .build());
                }
                Outcome outcome = runs.get(i)
                        .read((text, tokens) -> stream.send(begin(id, created, asked.model)
                                .put(
                                        "choices",
                                        Json.of(List.of(choice(
                                                index,
                                                text,
                                                asked.logprobs < 0 ? null : logprobs(tokens, tokenizer),
                                                null))))
                                .build()));
                if (outcome.end() == Outcome.End.SHUTDOWN) {
                    throw Runs.shutdown();
                }
                outcomes.add(outcome);
                stream.send(begin(id, created, asked.model)
                        .put("choices", Json.of(List.of(choice(index, "", null, Wire.finish(outcome.end())))))
                        .build());
            }
        } catch (RuntimeException e) {
            stream.send(exchange.dialect().error(Runs.error(e)));
            throw e;
        }
        exchange.note(Runs.note(asked.model, outcomes));
        if (includeUsage) {
            stream.send(begin(id, created, asked.model)
                    .put("choices", JsonArray.EMPTY)
                    .put("usage", Wire.usage(usage(asked, outcomes)))
                    .build());
        }
        stream.done();
    }

    private static String echo(Asked asked, int number, Tokenizer tokenizer) {
        return asked.echo ? tokenizer.decode(asked.prompts.get(number / asked.choices)) : "";
    }

    private static Usage usage(Asked asked, List<Outcome> outcomes) {
        Usage usage = Runs.usage(outcomes);
        int prompts = asked.prompts.stream().mapToInt(prompt -> prompt.length).sum();
        return new Usage(prompts, usage.cachedTokens(), usage.completionTokens(), 0, 0, 0);
    }

    /** The older form: one list a column. */
    private static Json logprobs(List<Token> tokens, Tokenizer tokenizer) {
        List<Json> texts = new ArrayList<>();
        List<Json> values = new ArrayList<>();
        List<Json> tops = new ArrayList<>();
        List<Json> offsets = new ArrayList<>();
        int offset = 0;
        for (Token token : tokens) {
            String text = text(token.id(), tokenizer);
            texts.add(Json.of(text));
            values.add(Json.of(token.logprobs().getFirst().value()));
            JsonObject.Builder top = object();
            for (Logprob each : token.logprobs().subList(1, token.logprobs().size())) {
                top.put(text(each.token(), tokenizer), each.value());
            }
            tops.add(top.build());
            offsets.add(Json.of(offset));
            offset += text.length();
        }
        return object().put("tokens", Json.of(texts))
                .put("token_logprobs", Json.of(values))
                .put("top_logprobs", Json.of(tops))
                .put("text_offset", Json.of(offsets))
                .build();
    }

    private static String text(int token, Tokenizer tokenizer) {
        return tokenizer.hasToken(token)
                ? new String(tokenizer.tokenBytes(token), StandardCharsets.UTF_8)
                : "<" + token + ">";
    }

    /** {@code POST /tokenize}. */
    public void tokenize(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            Tokenizer tokenizer = lease.model().harmony().tokenizer();
            // llama.cpp says content, vLLM says prompt
            String text = body.has("content") ? body.requiredString("content") : body.requiredString("prompt");
            int[] tokens = body.bool("parse_special", true)
                    ? tokenizer.encode(text, tokenizer.specialNames())
                    : tokenizer.encodeOrdinary(text);
            List<Json> ids = new ArrayList<>();
            for (int token : tokens) {
                ids.add(Json.of(token));
            }
            exchange.send(object().put("tokens", Json.of(ids))
                    .put("count", tokens.length)
                    .put("max_model_len", lease.model().engine().config().maxContext())
                    .build());
        }
    }

    /** {@code POST /detokenize}. */
    public void detokenize(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            Tokenizer tokenizer = lease.model().harmony().tokenizer();
            List<Json> given = body.array("tokens");
            int[] ids = new int[given.size()];
            for (int i = 0; i < ids.length; i++) {
                if (!(given.get(i) instanceof JsonNumber number)
                        || !number.isInteger()
                        || !tokenizer.hasToken(number.intValueExact())) {
                    throw ApiException.badRequest(
                            "tokens[" + i + "]", "tokens[" + i + "] is " + given.get(i) + ", must be a token id");
                }
                ids[i] = number.intValueExact();
            }
            String text = tokenizer.decode(ids);
            exchange.send(object().put("content", text).put("prompt", text).build());
        }
    }
}
