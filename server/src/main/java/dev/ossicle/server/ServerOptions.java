package dev.ossicle.server;

import dev.ossicle.server.http.RequestLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to serve.
 *
 * @param port 0 for any that is free
 * @param keys any of which a client must send; none if there are none
 * @param insecure whether others than this machine may use it without a key
 * @param allowedHosts names that it is known by, beside those of every machine
 * @param origins of web pages that may use it; {@code *} for all
 * @param certificate PEM file; null for plain HTTP
 * @param certificateKey PEM file
 * @param maxBody bytes of a request
 * @param idle how long a connection may be silent while a request is read or an answer is written
 * @param timeout of one answer, waiting included
 * @param grace how long answers may go on when the server ends
 * @param ping silence after which a stream says that it is there
 * @param store file of the responses that are kept; null for memory
 * @param log of requests
 */
public record ServerOptions(
        String host,
        int port,
        List<String> keys,
        boolean insecure,
        List<String> allowedHosts,
        List<String> origins,
        @Nullable Path certificate,
        @Nullable Path certificateKey,
        long maxBody,
        Duration idle,
        Duration timeout,
        Duration grace,
        Duration ping,
        @Nullable Path store,
        RequestLog log) {
    /** Ollama's port, so that its clients find us. */
    public static final int DEFAULT_PORT = 11434;

    /** For this machine alone. */
    public static final ServerOptions DEFAULT = new ServerOptions(
            "127.0.0.1",
            DEFAULT_PORT,
            List.of(),
            false,
            List.of(),
            List.of(),
            null,
            null,
            32L << 20, // a full context is about half a megabyte of text
            Duration.ofSeconds(60),
            Duration.ofHours(1),
            Duration.ofSeconds(30),
            Duration.ofSeconds(15),
            null,
            RequestLog.NONE);

    public ServerOptions withPort(int newPort) {
        return new ServerOptions(
                host,
                newPort,
                keys,
                insecure,
                allowedHosts,
                origins,
                certificate,
                certificateKey,
                maxBody,
                idle,
                timeout,
                grace,
                ping,
                store,
                log);
    }

    public ServerOptions withHost(String newHost, boolean newInsecure) {
        return new ServerOptions(
                newHost,
                port,
                keys,
                newInsecure,
                allowedHosts,
                origins,
                certificate,
                certificateKey,
                maxBody,
                idle,
                timeout,
                grace,
                ping,
                store,
                log);
    }

    public ServerOptions withKeys(List<String> newKeys) {
        return new ServerOptions(
                host,
                port,
                newKeys,
                insecure,
                allowedHosts,
                origins,
                certificate,
                certificateKey,
                maxBody,
                idle,
                timeout,
                grace,
                ping,
                store,
                log);
    }

    public ServerOptions withOrigins(List<String> newOrigins) {
        return new ServerOptions(
                host,
                port,
                keys,
                insecure,
                allowedHosts,
                newOrigins,
                certificate,
                certificateKey,
                maxBody,
                idle,
                timeout,
                grace,
                ping,
                store,
                log);
    }

    public ServerOptions withStore(@Nullable Path newStore) {
        return new ServerOptions(
                host,
                port,
                keys,
                insecure,
                allowedHosts,
                origins,
                certificate,
                certificateKey,
                maxBody,
                idle,
                timeout,
                grace,
                ping,
                newStore,
                log);
    }

    public ServerOptions withLimits(long newMaxBody, Duration newIdle, Duration newTimeout, Duration newGrace) {
        return new ServerOptions(
                host,
                port,
                keys,
                insecure,
                allowedHosts,
                origins,
                certificate,
                certificateKey,
                newMaxBody,
                newIdle,
                newTimeout,
                newGrace,
                ping,
                store,
                log);
    }
}
