package dev.ossicle.models.hub;

import dev.ossicle.models.Environment;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How the hub is reached.
 *
 * @param endpoint its address
 * @param token for repositories that are not public, sent to the endpoint's host alone; null for none
 * @param httpProxy for addresses that begin with http; null for none
 * @param httpsProxy for those that begin with https; null for none
 * @param noProxy hosts that are reached directly: names, ends of names, or *
 * @param connections at the same time
 * @param segment bytes that are asked for at once
 * @param patience after which a silent connection is given up
 * @param shortestWait before something is tried again; it doubles each time
 * @param offline whether nothing may be asked
 */
public record HubOptions(
        URI endpoint,
        @Nullable String token,
        @Nullable URI httpProxy,
        @Nullable URI httpsProxy,
        List<String> noProxy,
        int connections,
        long segment,
        Duration patience,
        Duration shortestWait,
        boolean offline) {

    /** As huggingface_hub reads the environment. */
    public static HubOptions of(Environment environment, boolean offline) {
        return new HubOptions(
                uri(environment, "HF_ENDPOINT").orElse(URI.create("https://huggingface.co")),
                token(environment),
                proxy(environment, "http_proxy"),
                proxy(environment, "https_proxy"),
                either(environment, "no_proxy")
                        .map(hosts ->
                                List.of(hosts.toLowerCase(Locale.ROOT).strip().split("[\\s,]+")))
                        .orElse(List.of()),
                8,
                64L << 20,
                Duration.ofSeconds(30),
                Duration.ofMillis(500),
                offline
                        || environment
                                .get("HF_HUB_OFFLINE")
                                .filter(value -> !value.equals("0"))
                                .isPresent());
    }

    private static @Nullable String token(Environment environment) {
        Optional<String> given = environment.get("HF_TOKEN");
        if (given.isPresent()) {
            return clean(given.get());
        }
        Path home = environment
                .get("HF_HOME")
                .map(Path::of)
                .orElse(environment.home().resolve(Path.of(".cache", "huggingface")));
        try {
            return clean(Files.readString(home.resolve("token")));
        } catch (IOException e) {
            return null; // nobody logged in
        }
    }

    private static @Nullable String clean(String token) {
        String stripped = token.strip();
        if (!stripped.matches("[!-~]*")) {
            throw new PullException("HF_TOKEN holds characters that no token has");
        }
        return stripped.isEmpty() ? null : stripped;
    }

    private static @Nullable URI proxy(Environment environment, String variable) {
        return either(environment, variable)
                .or(() -> either(environment, "all_proxy"))
                .map(value -> parse(variable, value.contains("://") ? value : "http://" + value))
                .orElse(null);
    }

    private static Optional<String> either(Environment environment, String variable) {
        return environment.get(variable).or(() -> environment.get(variable.toUpperCase(Locale.ROOT)));
    }

    private static Optional<URI> uri(Environment environment, String variable) {
        return environment.get(variable).map(value -> parse(variable, value.replaceFirst("/+$", "")));
    }

    private static URI parse(String variable, String value) {
        try {
            URI uri = new URI(value);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new PullException(variable + " is \"" + value + "\", expected an address such as https://host");
    }

    /** The proxy for an address; null for none. */
    @Nullable
    URI proxyFor(String scheme, String host) {
        String name = host.toLowerCase(Locale.ROOT);
        for (String direct : noProxy) {
            String end = direct.replaceFirst("^\\*?\\.", "").replaceFirst(":\\d+$", "");
            if (direct.equals("*") || name.equals(end) || name.endsWith("." + end)) {
                return null;
            }
        }
        return scheme.equals("https") ? httpsProxy : httpProxy;
    }
}
