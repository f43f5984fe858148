package dev.ossicle.tools.browser;

import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.Arguments;
import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jsoup.nodes.Entities;
import org.jspecify.annotations.Nullable;

/**
 * One conversation's browser: pages that were visited, in the order of the visits; a cursor is a place in that order.
 * Functions, pages and errors are those that gpt-oss was trained with.
 */
public final class BrowserSession implements ToolSession {
    private static final int HITS = 20;
    private static final int MAX_MESSAGE = 1024;
    private static final int ABOVE_SNIPPET = 4;
    private static final String VIEW_SOURCE = "view-source:";
    private static final Map<String, Set<String>> FUNCTIONS = Map.of(
            "search", Set.of("query", "topn", "top_n", "source"),
            "open", Set.of("id", "cursor", "loc", "num_lines", "view_source", "source"),
            "find", Set.of("pattern", "cursor"));

    private final SearchBackend search;
    private final PageSource source;
    private final List<Visit> visits = new ArrayList<>();
    private final Map<String, Page> pages = new HashMap<>();
    private boolean closed;

    /** A page in its lines. */
    private record Visit(Page page, List<String> lines) {
        Visit(Page page) {
            this(page, Lines.wrap(page.text()));
        }
    }

    /** What the model is told of what it asked for in vain. */
    private static final class BrowserException extends Exception {
        private static final long serialVersionUID = 1;

        BrowserException(String message) {
            super(message);
        }
    }

    public BrowserSession(SearchBackend search, PageSource source) {
        this.search = search;
        this.source = source;
    }

    @Override
    public ToolNamespace namespace() {
        return ToolNamespace.browser();
    }

    @Override
    public synchronized ToolOutput call(String function, String body) throws InterruptedException {
        Set<String> known = FUNCTIONS.get(function);
        if (known == null) {
            return Arguments.unknownFunction(function);
        }
        JsonObject arguments = Arguments.parse(body).orElse(null);
        if (arguments == null) {
            return Arguments.invalid();
        }
        for (String name : arguments.members().keySet()) {
            if (!known.contains(name)) {
                return ToolOutput.failure("`" + function + "` has no argument `" + name + "`");
            }
        }
        if (closed) {
            return ToolOutput.failure("this session is closed");
        }
        try {
            return switch (function) {
                case "search" -> search(required(arguments, "query"));
                case "open" -> open(arguments);
                default -> find(required(arguments, "pattern"), cursor(arguments));
            };
        } catch (BrowserException | IllegalArgumentException e) {
            return ToolOutput.failure(String.valueOf(e.getMessage()));
        }
    }

    private static String required(JsonObject arguments, String name) {
        if (arguments.present(name) == null) {
            throw new IllegalArgumentException("`" + name + "` is missing");
        }
        return Arguments.string(arguments, name, "");
    }

    private static int cursor(JsonObject arguments) {
        return Arguments.integer(arguments, "cursor", -1);
    }

    private ToolOutput search(String query) throws BrowserException, InterruptedException {
        List<Source> found = new ArrayList<>();
        StringBuilder html = new StringBuilder("<html><body><h1>Search Results</h1><ul>");
        try {
            for (SearchBackend.Hit hit : search.search(query, HITS)) {
                found.add(new Source(hit.title(), hit.url()));
                html.append("<li><a href='").append(Entities.escape(hit.url()).replace("'", "&#39;"));
                html.append("'>").append(Entities.escape(hit.title())).append("</a> ");
                html.append(Entities.escape(hit.summary())).append("</li>");
            }
        } catch (IOException e) {
            throw new BrowserException("Error during search for `" + query + "`: " + message(e));
        }
        Visit results =
                new Visit(PageReader.read(html.append("</ul></body></html>").toString(), "", query));
        return new ToolOutput(push(results, 0, -1), false, List.of(), found);
    }

    private static String message(IOException e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE - 3) + "..." : message;
    }

    private ToolOutput open(JsonObject arguments) throws BrowserException, InterruptedException {
        int loc = Arguments.integer(arguments, "loc", -1);
        int count = Arguments.integer(arguments, "num_lines", -1);
        boolean asSource = arguments.present("view_source") instanceof JsonBoolean value && value.value();
        Json id = arguments.present("id");
        if (id instanceof JsonString url && !isInteger(url.value())) {
            return show(new Visit(fetch(url.value(), asSource)), Math.max(loc, 0), count);
        }
        Visit from = visit(cursor(arguments));
        int number = id instanceof JsonNumber || id instanceof JsonString ? Arguments.integer(arguments, "id", -1) : -1;
        if (number < 0) {
            Visit same = asSource ? new Visit(fetch(from.page.url(), true)) : from;
            return show(same, Math.max(loc, 0), count);
        }
        String url = from.page.links().get(Integer.toString(number));
        if (url == null) {
            throw new BrowserException("Invalid link id `" + number + "`.");
        }
        Page.Snippet snippet = from.page.snippets().get(Integer.toString(number));
        int line = Math.max(loc, 0);
        if (snippet != null && loc < 0) {
            line = snippet.line() > ABOVE_SNIPPET ? snippet.line() - ABOVE_SNIPPET : snippet.line();
        }
        Page cached = pages.get(url);
        return show(new Visit(cached == null || asSource ? fetch(url, asSource) : cached), line, count);
    }

    private static boolean isInteger(String text) {
        return text.strip().matches("-?\\d{1,9}");
    }

    private Page fetch(String wanted, boolean asSource) throws BrowserException, InterruptedException {
        String url = wanted.startsWith(VIEW_SOURCE) ? wanted.substring(VIEW_SOURCE.length()) : wanted;
        boolean raw = asSource || !url.equals(wanted);
        try {
            PageSource.Document document = source.fetch(url);
            String found = document.url();
            if (document.html() && !raw) {
                return PageReader.read(document.text(), found, document.title());
            }
            String text = "\nURL: " + found + "\n" + PageReader.replaceMarkers(document.text());
            String title = document.title() == null ? found : document.title();
            return new Page(raw ? VIEW_SOURCE + found : found, title, text, Map.of(), Map.of());
        } catch (IOException e) {
            throw new BrowserException("Error fetching URL `" + url + "`: " + message(e));
        }
    }

    private ToolOutput find(String pattern, int cursor) throws BrowserException {
        Visit visit = visit(cursor);
        if (!visit.page.snippets().isEmpty()) {
            throw new BrowserException("Cannot run `find` on search results page or find results page");
        }
        String shown = push(new Visit(Finds.in(visit.page, visit.lines, pattern)), 0, -1);
        return new ToolOutput(shown, false, List.of(), sources(visit.page));
    }

    private Visit visit(int cursor) throws BrowserException {
        if (visits.isEmpty()) {
            throw new BrowserException("No pages to access!");
        }
        int index = cursor < 0 ? visits.size() + cursor : cursor;
        if (index < 0 || index >= visits.size()) {
            throw new BrowserException("Cursor `" + cursor + "` is out of range. Available cursor indices: [0 - "
                    + (visits.size() - 1) + "].");
        }
        return visits.get(index);
    }

    private ToolOutput show(Visit visit, int from, int count) throws BrowserException {
        return new ToolOutput(push(visit, from, count), false, List.of(), sources(visit.page));
    }

    private static List<Source> sources(Page page) {
        return page.url().isEmpty() ? List.of() : List.of(new Source(page.title(), page.url()));
    }

    private String push(Visit visit, int from, int count) throws BrowserException {
        if (from >= visit.lines.size()) {
            throw new BrowserException("Invalid location parameter: `" + from + "`. Cannot exceed page maximum of "
                    + (visit.lines.size() - 1) + ".");
        }
        visits.add(visit);
        pages.put(visit.page.url(), visit.page);
        return Window.show(visits.size() - 1, visit.page, visit.lines, from, count);
    }

    @Override
    public synchronized @Nullable Source source(int cursor) {
        if (cursor < 0 || cursor >= visits.size()) {
            return null;
        }
        List<Source> sources = sources(visits.get(cursor).page);
        return sources.isEmpty() ? null : sources.getFirst();
    }

    @Override
    public synchronized void close() {
        closed = true;
        visits.clear();
        pages.clear();
    }
}
