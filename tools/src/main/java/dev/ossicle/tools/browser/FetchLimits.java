package dev.ossicle.tools.browser;

import java.time.Duration;

/**
 * What fetching one page may take.
 *
 * @param time from the first connection to the last byte, redirects included
 * @param bytes after decompression
 * @param redirects that are followed
 */
public record FetchLimits(Duration time, int bytes, int redirects) {
    public static final FetchLimits DEFAULT = new FetchLimits(Duration.ofSeconds(20), 8 << 20, 8);
}
