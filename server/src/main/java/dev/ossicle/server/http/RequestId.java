package dev.ossicle.server.http;

import dev.ossicle.server.answer.Ids;
import java.util.regex.Pattern;
import org.eclipse.jetty.server.Request;

/** What a request is called in the log and in its response. */
final class RequestId {
    private static final String ATTRIBUTE = "ossicle.request.id";
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private RequestId() {}

    static String of(Request request) {
        if (request.getAttribute(ATTRIBUTE) instanceof String known) {
            return known;
        }
        String given = request.getHeaders().get("x-request-id");
        String id = given != null && PLAIN.matcher(given).matches() ? given : Ids.next("req_");
        request.setAttribute(ATTRIBUTE, id);
        return id;
    }
}
