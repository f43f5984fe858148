package dev.ossicle.tools.browser;

import java.util.Map;

/** A piece of an HTML document, in the order of its source. */
sealed interface HtmlToken {
    record Open(String name, Map<String, String> attributes) implements HtmlToken {}

    record Close(String name) implements HtmlToken {}

    record Text(String text) implements HtmlToken {}

    /** A comment: nothing, but something between two words. */
    record Gap() implements HtmlToken {}
}
