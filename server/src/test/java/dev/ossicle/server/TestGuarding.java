package dev.ossicle.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.io.InputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in, and what is refused before anything is done. */
@Timeout(60)
class TestGuarding {
    private static final String CHAT = "/v1/chat/completions";
    private static final String BODY = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}";

    private static Scripted with(ServerOptions options) throws IOException {
        return new Scripted(options, EngineOptions.DEFAULT, true);
    }

    /** A request as it is, for what no client would send. */
    private static String raw(Scripted scripted, String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", scripted.server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            return readAll(socket.getInputStream());
        }
    }

    private static String readAll(InputStream in) throws IOException {
        StringBuilder text = new StringBuilder();
        byte[] buffer = new byte[8192];
        try {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                text.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
            }
        } catch (IOException e) {
            // reset: what came before is what there is
        }
        return text.toString();
    }

    private static String get(String host, String... headers) {
        return "GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n"
                + String.join("", List.of(headers).stream().map(h -> h + "\r\n").toList()) + "\r\n";
    }

    /** DNS rebinding: a page's own name that points here. */
    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "LOCALHOST:11434, 200",
        "127.0.0.1:8080, 200",
        "[::1]:80, 200",
        "192.168.1.7, 200",
        "ossicle.localhost, 200",
        "evil.example, 403",
        "evil.example:11434, 403",
        "127.0.0.1.evil.example, 403",
        "localhost.evil.example, 403",
    })
    void theHostMustBeOurs(String host, int status) throws IOException {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            assertThat(raw(scripted, get(host))).startsWith("HTTP/1.1 " + status);
        }
    }

    @Test
    void pagesOfOthersAreRefusedUnlessAllowed() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            assertThat(scripted.says("Hi")
                            .post(CHAT, BODY, "Origin", "https://evil.example")
                            .statusCode())
                    .isEqualTo(403);
            assertThat(scripted.post(CHAT, BODY, "Origin", "null").statusCode()).isEqualTo(403);
            assertThat(scripted.post(CHAT, BODY, "Origin", scripted.server.address())
                            .statusCode())
                    .isEqualTo(200);
            assertThat(raw(
                            scripted,
                            "OPTIONS " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n"
                                    + "Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"))
                    .doesNotContainIgnoringCase("access-control-allow");
        }
        try (Scripted scripted = with(ServerOptions.DEFAULT.withOrigins(List.of("https://chat.example")))) {
            HttpResponse<String> response = scripted.says("Hi").post(CHAT, BODY, "Origin", "https://chat.example");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().firstValue("access-control-allow-origin"))
                    .hasValue("https://chat.example");
            assertThat(scripted.post(CHAT, BODY, "Origin", "https://evil.example")
                            .statusCode())
                    .isEqualTo(403);
            assertThat(raw(
                            scripted,
                            "OPTIONS " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nOrigin: https://chat.example\r\n"
                                    + "Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 204")
                    .contains("https://chat.example");
        }
    }

    /** A form of another site's page can send these without asking. */
    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})
    void bodiesMustBeJson(String type) throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            String request = "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type
                    + "\r\nContent-Length: " + BODY.length() + "\r\nConnection: close\r\n\r\n" + BODY;
            assertThat(raw(scripted, request)).startsWith("HTTP/1.1 415").contains("application/json");
            assertThat(scripted.runner.computedTokens()).isZero();
        }
    }

    /** Refused before its body came: the client must not think that the connection can be used again. */
    @Test
    void whoIsRefusedEarlyIsToldThatTheConnectionEnds() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT.withKeys(List.of("first")))) {
            String head = "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 100\r\n\r\n";
            assertThat(raw(scripted, head)).startsWith("HTTP/1.1 401").containsIgnoringCase("Connection: close");
        }
    }

    @Test
    void keysAreAskedFor() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT.withKeys(List.of("first", "second")))) {
            scripted.says("Hi").says("Hi").says("Hi");
            HttpResponse<String> without = scripted.post(CHAT, BODY);
            assertThat(without.statusCode()).isEqualTo(401);
            assertThat(without.body()).contains("invalid_api_key");
            assertThat(scripted.post(CHAT, BODY, "Authorization", "Bearer third")
                            .statusCode())
                    .isEqualTo(401);
            assertThat(scripted.post(CHAT, BODY, "Authorization", "Bearer second")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(scripted.post("/v1/messages", BODY.replace("}]", "}], \"max_tokens\": 99"), "x-api-key", "first")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(scripted.get("/health").statusCode()).isEqualTo(200);
            assertThat(scripted.get("/metrics").statusCode()).isEqualTo(401);
            assertThat(scripted.get("/api/tags").statusCode()).isEqualTo(401);
        }
    }

    @Test
    void othersAreLetInOnlyWithAKeyOrOnPurpose() throws Exception {
        assertThatThrownBy(() -> with(ServerOptions.DEFAULT.withHost("0.0.0.0", false)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--api-key");
        with(ServerOptions.DEFAULT.withHost("0.0.0.0", true)).close();
        with(ServerOptions.DEFAULT.withHost("0.0.0.0", false).withKeys(List.of("k")))
                .close();
    }

    @Test
    void aPortThatIsTakenIsSaidToBe() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            assertThatThrownBy(() -> OssicleServer.start(
                            ServerOptions.DEFAULT.withPort(scripted.server.port()),
                            new ModelHost(scripted.models.models(), null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("--port");
        }
    }

    @Test
    void whatIsTooLargeOrBrokenIsRefused() throws Exception {
        ServerOptions small = ServerOptions.DEFAULT.withLimits(
                1000, Duration.ofSeconds(1), Duration.ofMinutes(1), Duration.ofSeconds(5));
        try (Scripted scripted = with(small)) {
            String head = "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
            assertThat(scripted.post(CHAT, BODY.replace("Hello", "x".repeat(2000)))
                            .statusCode())
                    .isEqualTo(413);
            String chunks = head + "Transfer-Encoding: chunked\r\n\r\n"
                    + ("400\r\n" + "x".repeat(1024) + "\r\n").repeat(3) + "0\r\n\r\n";
            assertThat(raw(scripted, chunks)).startsWith("HTTP/1.1 413");
            assertThat(raw(scripted, head + "X-Large: " + "x".repeat(100_000) + "\r\n\r\n"))
                    .startsWith("HTTP/1.1 431")
                    .contains("\"error\"");
            assertThat(raw(scripted, head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
                    .startsWith("HTTP/1.1 400");
            assertThat(raw(scripted, "nonsense\r\n\r\n")).startsWith("HTTP/1.1 400");
            // Half a body, and half a header: the connection does not stay for ever.
            assertThat(raw(scripted, head + "Content-Length: 100\r\n\r\n{")).startsWith("HTTP/1.1 408");
            assertThat(raw(scripted, head)).doesNotContain("HTTP/1.1 200");
            assertThat(scripted.post(CHAT, "{\"a\": " + "[".repeat(200) + "]".repeat(200) + "}")
                            .statusCode())
                    .isEqualTo(400);
            assertThat(scripted.says("Hi").post(CHAT, BODY).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void wrongPathsAndMethodsAreSaidInTheDialect() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            assertThat(scripted.get("/v1/nothing").statusCode()).isEqualTo(404);
            assertThat(scripted.get("/api/nothing").body()).startsWith("{\"error\":\"");
            HttpResponse<String> get = scripted.get(CHAT);
            assertThat(get.statusCode()).isEqualTo(405);
            assertThat(get.headers().firstValue("allow")).hasValue("POST");
            assertThat(scripted.post("/v1/messages", "{}").body()).startsWith("{\"type\":\"error\"");
            assertThat(scripted.get("/v1/models/gpt-oss-20b").statusCode()).isEqualTo(200);
            assertThat(scripted.get("/v1/models/openai/gpt-5").statusCode()).isEqualTo(404);
        }
    }

    /** Another machine, as far as the server can see. */
    @Test
    void nobodyElsePulls() throws Exception {
        Optional<InetAddress> outside = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .findFirst();
        assumeTrue(outside.isPresent(), "this machine has no address but its own");
        try (Scripted scripted = with(ServerOptions.DEFAULT.withHost("0.0.0.0", true))) {
            String host = outside.get().getHostAddress();
            HttpRequest.Builder request = HttpRequest.newBuilder(
                            URI.create("http://" + host + ":" + scripted.server.port() + "/api/pull"))
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\": \"gpt-oss:20b\"}"));
            assertThat(scripted.http
                            .send(request.build(), HttpResponse.BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void tlsIsSpoken(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("server.p12");
        char[] password = "password".toCharArray();
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "SAN=ip:127.0.0.1,dns:localhost",
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "password")
                .redirectErrorStream(true)
                .start();
        assertThat(keytool.waitFor())
                .as(new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), password);
        Path certificate = folder.resolve("cert.pem");
        Path key = folder.resolve("key.pem");
        Files.writeString(
                certificate, pem("CERTIFICATE", keys.getCertificate("server").getEncoded()));
        Files.writeString(
                key, pem("PRIVATE KEY", keys.getKey("server", password).getEncoded()));

        ServerOptions options = ServerOptions.DEFAULT.withCertificate(new ServerOptions.Certificate(certificate, key));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (Scripted scripted = with(options);
                HttpClient http = HttpClient.newBuilder().sslContext(context).build()) {
            assertThat(scripted.server.address()).startsWith("https://");
            HttpRequest request = scripted.says("Hi")
                    .request(CHAT)
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(BODY))
                    .build();
            assertThat(http.send(request, HttpResponse.BodyHandlers.ofString()).body())
                    .contains("\"content\":\"Hi\"");
        }
        Files.writeString(key, "not a key");
        assertThatThrownBy(() -> with(options)).hasMessageContaining("key.pem").hasMessageContaining("PRIVATE KEY");
    }

    private static String pem(String what, byte[] encoded) {
        return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(encoded) + "\n-----END " + what
                + "-----\n";
    }

    @Test
    void onlyKnownModelsArePulled() throws Exception {
        try (Scripted scripted = with(ServerOptions.DEFAULT)) {
            assertThat(scripted.post("/api/pull", "{\"model\": \"gpt-oss:20b\"}")
                            .body())
                    .contains("\"success\"");
            assertThat(scripted.post("/api/pull", "{\"model\": \"evil/model\"}").statusCode())
                    .isEqualTo(404);
        }
    }
}
