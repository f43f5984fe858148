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
 * @param certificate null for plain HTTP
 * @param store file of the responses that are kept; null for memory
 * @param log of requests
 */
public record ServerOptions(
        String host,
        int port,
        Access access,
        @Nullable Certificate certificate,
        Limits limits,
        @Nullable Path store,
        RequestLog log) {
    /**
     * Who is let in.
     *
     * @param keys any of which a client must send; none if there are none
     * @param insecure whether others than this machine may use it without a key
     * @param hosts names that it is known by, beside those of every machine
     * @param origins of web pages that may use it; {@code *} for all
     */
    public record Access(List<String> keys, boolean insecure, List<String> hosts, List<String> origins) {
        public static final Access LOCAL = new Access(List.of(), false, List.of(), List.of());
    }

    /**
     * PEM files.
     *
     * @param chain the server's own first
     */
    public record Certificate(Path chain, Path key) {}

    /**
     * What a request may take.
     *
     * @param maxBody bytes of a request
     * @param idle how long a connection may be silent while a request is read or an answer is written
     * @param timeout of one answer, waiting included
     * @param grace how long answers may go on when the server ends
     * @param ping silence after which a stream says that it is there
     */
    public record Limits(long maxBody, Duration idle, Duration timeout, Duration grace, Duration ping) {
        public static final Limits DEFAULT = new Limits(
                32L << 20, // a full context is about half a megabyte of text
                Duration.ofSeconds(60),
                Duration.ofHours(1),
                Duration.ofSeconds(30),
                Duration.ofSeconds(15));
    }

    /** Ollama's port, so that its clients find us. */
    public static final int DEFAULT_PORT = 11434;

    /** For this machine alone. */
    public static final ServerOptions DEFAULT =
            new ServerOptions("127.0.0.1", DEFAULT_PORT, Access.LOCAL, null, Limits.DEFAULT, null, RequestLog.NONE);

    public ServerOptions withPort(int newPort) {
        return new ServerOptions(host, newPort, access, certificate, limits, store, log);
    }

    public ServerOptions withHost(String newHost, boolean insecure) {
        Access newAccess = new Access(access.keys, insecure, access.hosts, access.origins);
        return new ServerOptions(newHost, port, newAccess, certificate, limits, store, log);
    }

    public ServerOptions withKeys(List<String> keys) {
        Access newAccess = new Access(keys, access.insecure, access.hosts, access.origins);
        return new ServerOptions(host, port, newAccess, certificate, limits, store, log);
    }

    public ServerOptions withOrigins(List<String> origins) {
        Access newAccess = new Access(access.keys, access.insecure, access.hosts, origins);
        return new ServerOptions(host, port, newAccess, certificate, limits, store, log);
    }

    public ServerOptions withCertificate(Certificate newCertificate) {
        return new ServerOptions(host, port, access, newCertificate, limits, store, log);
    }

    public ServerOptions withStore(Path newStore) {
        return new ServerOptions(host, port, access, certificate, limits, newStore, log);
    }

    public ServerOptions withLimits(long maxBody, Duration idle, Duration timeout, Duration grace) {
        Limits newLimits = new Limits(maxBody, idle, timeout, grace, limits.ping);
        return new ServerOptions(host, port, access, certificate, newLimits, store, log);
    }
}
