package dev.ossicle.tools.mcp;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/** How a server is reached. */
public sealed interface McpAddress {
    /**
     * A program that speaks over its standard input and output. Of this process's environment it sees no more than where
     * programs and the user's files are, so that keys do not leak into it.
     *
     * @param words program and arguments
     * @param environment more of its variables
     */
    record Command(List<String> words, Map<String, String> environment) implements McpAddress {
        public Command {
            words = List.copyOf(words);
            environment = Map.copyOf(environment);
            if (words.isEmpty()) {
                throw new IllegalArgumentException("the command of an MCP server is empty");
            }
        }
    }

    /**
     * A server of streamable HTTP. Redirects are not followed, cookies and proxies not used.
     *
     * @param uri of http or https
     * @param headers sent with each request, such as {@code Authorization}
     * @param names resolves the host, for each connection anew
     */
    record Url(URI uri, Map<String, String> headers, DnsResolver names) implements McpAddress {
        public Url {
            headers = Map.copyOf(headers);
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (!web || uri.getHost() == null || uri.getRawUserInfo() != null) {
                throw new IllegalArgumentException("\"" + uri + "\" is no URL of an MCP server, such as"
                        + " https://mcp.example.org/mcp (a key goes into a header)");
            }
            headers.forEach((name, value) -> {
                // The message does not repeat the value: it may be a key.
                if (!name.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+")
                        || value.chars().anyMatch(c -> c < ' ' && c != '\t')) {
                    throw new IllegalArgumentException("\"" + name + "\" is no header that can be sent");
                }
            });
        }

        /** Wherever it leads, the private network included: the operator's own word. */
        public static Url trusted(URI uri, Map<String, String> headers) {
            return new Url(uri, headers, SystemDefaultDnsResolver.INSTANCE);
        }
    }
}
