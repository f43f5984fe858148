package dev.ossicle.tools.browser;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * HTML as light Markdown: headings, lists, quotes and code are marked, links and emphasis are not, tables are cells in a row.
 * Modelled on what the html2text library (2025.4.15) prints with the settings of gpt-oss's browser.
 */
final class HtmlText {
    /** What Markdown would take for the mark of a list's item, a rule or an escape. */
    private static final Pattern NUMBER = Pattern.compile("(?mdU)^([\\s&&[^\n]]*+\\d+)(\\.)(?=\\s)");

    private static final Pattern PLUS = Pattern.compile("(?mdU)^([\\s&&[^\n]]*+)(\\+)(?=\\s)");
    private static final Pattern DASH = Pattern.compile("(?mdU)^([\\s&&[^\n]]*+)(-)(?=[\\s-])");
    private static final Pattern BACKSLASH = Pattern.compile("\\\\(?=[\\\\`*_{}\\[\\]()#+\\-.!])");

    private final TextFlow flow = new TextFlow();
    private final Deque<ItemList> lists = new ArrayDeque<>();
    private final Map<String, String> abbreviations = new LinkedHashMap<>();
    private int hidden;
    private boolean listEnded;
    private boolean inCode;
    private boolean strikeBegins;
    private boolean strikeNear;
    private @Nullable String abbreviation;
    private final StringBuilder abbreviated = new StringBuilder();

    /** A list that is open. */
    private static final class ItemList {
        final boolean numbered;
        int number;

        ItemList(boolean numbered, int start) {
            this.numbered = numbered;
            this.number = start;
        }
    }

    private HtmlText() {}

    static String of(List<HtmlToken> tokens) {
        HtmlText text = new HtmlText();
        for (HtmlToken token : tokens) {
            switch (token) {
                case HtmlToken.Open open -> text.open(open);
                case HtmlToken.Close close -> text.close(close.name());
                case HtmlToken.Text data -> text.data(data.text());
                case HtmlToken.Gap ignored -> {}
            }
        }
        return text.end();
    }

    private void open(HtmlToken.Open tag) {
        boolean wasEnded = listEnded;
        listEnded = false;
        switch (tag.name()) {
            case "head", "style", "script" -> hidden++;
            case "h1", "h2", "h3", "h4", "h5", "h6" -> {
                flow.paragraph();
                flow.mark("#".repeat(tag.name().charAt(1) - '0') + " ");
            }
            case "p", "div", "dl" -> flow.paragraph();
            case "br" -> flow.lineEnd();
            case "hr" -> {
                flow.paragraph();
                flow.mark("* * *");
                flow.paragraph();
            }
            case "blockquote" -> flow.quote();
            case "ul", "ol" -> {
                if (lists.isEmpty() && !wasEnded) {
                    flow.paragraph();
                }
                lists.push(new ItemList(
                        tag.name().equals("ol"), start(tag.attributes().get("start"))));
                flow.lists(lists.size());
            }
            case "li" -> item();
            case "dd" -> flow.mark("    ");
            case "pre" -> flow.preformatted(true);
            case "code", "tt", "kbd" -> code(true);
            case "q" -> flow.mark("\"");
            case "del", "strike", "s" -> {
                flow.mark("~~");
                strikeBegins = true;
            }
            case "abbr" -> {
                abbreviation = tag.attributes().get("title");
                abbreviated.setLength(0);
            }
            default -> {}
        }
    }

    private void close(String name) {
        listEnded = false;
        switch (name) {
            case "head", "style", "script" -> hidden--;
            case "h1", "h2", "h3", "h4", "h5", "h6", "p", "div" -> flow.paragraph();
            case "blockquote" -> flow.endQuote();
            case "ul", "ol" -> {
                lists.poll();
                flow.lists(lists.size());
                if (lists.isEmpty()) {
                    flow.mark("\n");
                }
                listEnded = true;
            }
            case "li", "dt", "dd" -> flow.line();
            case "tr" -> flow.hardLine();
            case "pre" -> flow.preformatted(false);
            case "code", "tt", "kbd" -> code(false);
            case "q" -> flow.mark("\"");
            case "del", "strike", "s" -> {
                flow.mark("~~");
                strikeNear = true;
            }
            case "abbr" -> {
                if (abbreviation != null) {
                    abbreviations.put(abbreviated.toString(), abbreviation);
                }
                abbreviation = null;
            }
            default -> {}
        }
    }

    private static int start(@Nullable String attribute) {
        try {
            return attribute == null ? 1 : Integer.parseInt(attribute.strip());
        } catch (NumberFormatException e) {
            return 1;
        }
    }

    private void item() {
        flow.line();
        boolean inNumbered = false;
        Iterator<ItemList> outer = lists.descendingIterator();
        for (int i = 0; i < TextFlow.DEEPEST && outer.hasNext(); i++) {
            flow.mark(inNumbered ? "   " : "  ");
            inNumbered = outer.next().numbered;
        }
        ItemList list = lists.peek();
        flow.bullet(list != null && list.numbered ? list.number++ + ". " : "* ");
    }

    private void code(boolean begins) {
        inCode = begins;
        if (!flow.isPreformatted()) {
            flow.mark("`");
        }
    }

    private void data(String text) {
        if (hidden > 0) {
            return;
        }
        String data = text;
        if (strikeBegins) {
            data = data.strip();
            strikeBegins = false;
            strikeNear = true;
        } else if (strikeNear) {
            if (!data.isEmpty() && "[](){}.!?".indexOf(data.charAt(0)) < 0 && !Character.isWhitespace(data.charAt(0))) {
                data = " " + data;
            }
            strikeNear = false;
        }
        if (abbreviation != null) {
            abbreviated.append(text);
        }
        if (!flow.isPreformatted() && !inCode) {
            data = escape(data);
        }
        flow.text(data);
    }

    private static String escape(String text) {
        String escaped = BACKSLASH.matcher(text).replaceAll("\\\\\\\\");
        escaped = NUMBER.matcher(escaped).replaceAll("$1\\\\$2");
        escaped = PLUS.matcher(escaped).replaceAll("$1\\\\$2");
        return DASH.matcher(escaped).replaceAll("$1\\\\$2");
    }

    private String end() {
        String text = flow.toString();
        StringBuilder all = new StringBuilder(text);
        abbreviations.forEach((name, meaning) ->
                all.append("\n  *[").append(name).append("]: ").append(meaning));
        return all.toString();
    }
}
