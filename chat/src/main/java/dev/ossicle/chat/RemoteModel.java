package dev.ossicle.chat;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A model on a host that speaks OpenAI's chat completions, with the reasoning beside the content as most hosts send it. */
final class RemoteModel implements ChatModel {
    private final URI endpoint;
    private final String model;
    private final @Nullable String key;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // vLLM and LM Studio stumble over the offer of HTTP/2
            .followRedirects(HttpClient.Redirect.NEVER) // the key is for this host
            .connectTimeout(Duration.ofSeconds(20))
            .build();

    RemoteModel(URI base, String model, @Nullable String key) {
        if (base.getHost() == null || !("http".equals(base.getScheme()) || "https".equals(base.getScheme()))) {
            throw new IllegalArgumentException(base + " is no address of a host, expected https://host/v1");
        }
        String path = base.getRawPath() == null ? "" : base.getRawPath().replaceAll("/+$", "");
        String query = base.getRawQuery() == null ? "" : "?" + base.getRawQuery(); // Azure's api-version
        this.endpoint = base.resolve(path + "/chat/completions" + query);
        this.model = model;
        this.key = key;
    }

    @Override
    public String name() {
        return model + " at " + endpoint.getHost();
    }

    @Override
    public Turn begin(ChatRequest request) {
        if (!request.builtIns().isEmpty()) {
            throw new ChatException(
                    "the built-in tools (" + request.builtIns().getFirst().name()
                            + ") need a model in this process: chat completions have no place for them");
        }
        return new RemoteTurn(client, endpoint, model, key, request);
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
