package dev.ossicle.tools.browser;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/** A web server that may say anything, byte by byte, and the {@link Fetcher}s that may visit it and nothing else here. */
final class RawServer implements AutoCloseable {
    /** One connection: writes the answer, then the connection ends. */
    @FunctionalInterface
    interface Page {
        void answer(String path, OutputStream out) throws IOException, InterruptedException;
    }

    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Page page;

    /** Request lines' paths, by arrival. */
    final List<String> paths = new CopyOnWriteArrayList<>();

    final List<String> requests = new CopyOnWriteArrayList<>();

    /** Counted down when the first client has gone away. */
    final CountDownLatch gone = new CountDownLatch(1);

    /** Counted down when a request has come in. */
    final CountDownLatch asked = new CountDownLatch(1);

    RawServer(Page page) throws IOException {
        this.page = page;
        Thread.ofVirtual().start(() -> {
            while (true) {
                try {
                    Socket client = socket.accept();
                    Thread.ofVirtual().start(() -> serve(client));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            requests.add(head);
            String path = head.isEmpty() ? "" : head.split(" ")[1];
            paths.add(path);
            Thread.ofVirtual().start(() -> watch(client));
            asked.countDown();
            page.answer(path, client.getOutputStream());
            client.getOutputStream().flush();
        } catch (IOException | InterruptedException e) {
            gone.countDown();
        }
    }

    private void watch(Socket client) {
        try {
            if (client.getInputStream().read() < 0) {
                gone.countDown();
            }
        } catch (IOException e) {
            gone.countDown();
        }
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int c = in.read();
            if (c < 0) {
                break;
            }
            head.write(c);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    static void say(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    static void ok(OutputStream out, String type, byte[] body) throws IOException {
        say(out, "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length + "\r\n\r\n");
        out.write(body);
        out.flush();
    }

    static void ok(OutputStream out, String body) throws IOException {
        ok(out, "text/html; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }

    int port() {
        return socket.getLocalPort();
    }

    String url(String path) {
        return "http://site.test:" + port() + path;
    }

    /** The made-up names lead here, but "private.test". */
    static InetAddress[] names(String host) throws UnknownHostException {
        return switch (host) {
            case "private.test" -> InetAddress.getAllByName("10.0.0.1");
            case "mixed.test" ->
                new InetAddress[] {InetAddress.getLoopbackAddress(), InetAddress.getByName("10.0.0.1")};
            default ->
                host.endsWith(".test")
                        ? new InetAddress[] {InetAddress.getLoopbackAddress()}
                        : SystemDefaultDnsResolver.INSTANCE.resolve(host);
        };
    }

    Fetcher fetcher(FetchLimits limits, boolean robots) {
        return fetcher(limits, robots, RawServer::names);
    }

    /** What is known of names, for a test. */
    @FunctionalInterface
    interface Names {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    Fetcher fetcher(FetchLimits limits, boolean robots, Names names) {
        AddressGuard guard = new AddressGuard(
                new SystemDefaultDnsResolver() {
                    @Override
                    public InetAddress[] resolve(String host) throws UnknownHostException {
                        return names.resolve(host);
                    }
                },
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port())::equals);
        return new Fetcher(limits, robots, guard, Set.of(-1, 80, 443, port()));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
