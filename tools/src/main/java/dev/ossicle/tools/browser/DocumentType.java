package dev.ossicle.tools.browser;

import dev.ossicle.tools.Encoding;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a server says that it sends, as far as it can be believed.
 *
 * @param mime empty if it does not say
 */
record DocumentType(String mime, @Nullable Charset charset) {
    private static final Pattern CHARSET = Pattern.compile("(?i);\\s*charset\\s*=\\s*[\"']?([^\"';\\s]+)");
    private static final Pattern META =
            Pattern.compile("(?i)<meta\\s[^>]{0,200}?charset\\s*=\\s*[\"']?\\s*([^\"'\\s/>;]+)");
    private static final Pattern XML = Pattern.compile("\\A\\s*<\\?xml\\s[^>]{0,200}?encoding\\s*=\\s*[\"']([^\"']+)");
    private static final Pattern HTML = Pattern.compile(
            "(?i)\\A(?:\\s++|<!--[^>]{0,500}>|<\\?xml[^>]{0,200}>)*+<(?:!doctype html|html|head|body|title|meta|h1|div|p|table)\\b");
    private static final int SNIFFED = 4096;

    /** @throws IOException if it is something that is not shown */
    static DocumentType of(@Nullable String header) throws IOException {
        String value = header == null ? "" : header.strip();
        String mime = value.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT);
        boolean text = mime.isEmpty()
                || mime.startsWith("text/")
                || mime.endsWith("json")
                || mime.endsWith("xml")
                || mime.equals("application/javascript")
                || mime.equals("application/x-ndjson")
                || mime.equals("application/yaml");
        if (!text) {
            throw new IOException("not a text but " + mime);
        }
        Matcher charset = CHARSET.matcher(value);
        return new DocumentType(mime, charset.find() ? charset(charset.group(1)) : null);
    }

    /** @throws IOException if the bytes are no text */
    PageSource.Document read(String url, byte[] bytes) throws IOException {
        String head = new String(bytes, 0, Math.min(bytes.length, SNIFFED), StandardCharsets.ISO_8859_1);
        String text = Encoding.decode(bytes, charset != null ? charset : declared(head))
                .orElseThrow(() -> new IOException("not a text, though it is said to be " + said()));
        boolean html = mime.equals("text/html")
                || mime.equals("application/xhtml+xml")
                || mime.isEmpty()
                        && HTML.matcher(text.substring(0, Math.min(text.length(), SNIFFED)))
                                .lookingAt();
        return new PageSource.Document(url, null, text, html);
    }

    private String said() {
        return mime.isEmpty() ? "one of no type" : mime;
    }

    /** What the document itself says. */
    private @Nullable Charset declared(String head) {
        Matcher matcher = (mime.endsWith("xml") ? XML : META).matcher(head);
        if (!mime.isEmpty() && !mime.endsWith("html") && !mime.endsWith("xml") || !matcher.find()) {
            return null;
        }
        Charset charset = charset(matcher.group(1));
        // what can be read byte by byte is not in an encoding of pairs
        return charset != null && charset.name().startsWith("UTF-16") ? StandardCharsets.UTF_8 : charset;
    }

    /** An encoding as browsers understand its name; null if it has none. */
    private static @Nullable Charset charset(String name) {
        String usual = switch (name.toLowerCase(Locale.ROOT)) {
            case "iso-8859-1", "latin1", "us-ascii", "ascii" -> "windows-1252";
            case "iso-8859-9" -> "windows-1254";
            case "gb2312", "gbk", "gb_2312-80" -> "GB18030";
            case "shift_jis", "shift-jis", "sjis", "x-sjis" -> "windows-31j";
            case "ks_c_5601-1987", "euc-kr" -> "x-windows-949";
            case "utf8" -> "UTF-8";
            default -> name;
        };
        try {
            return Charset.forName(usual);
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            return null;
        }
    }
}
