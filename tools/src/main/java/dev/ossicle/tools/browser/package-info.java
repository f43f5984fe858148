/**
 * The browser that gpt-oss was trained with: search, open, find, over pages as numbered lines of text.
 *
 * <p>{@link dev.ossicle.tools.browser.BrowserSession} is one conversation's browser, {@link
 * dev.ossicle.tools.browser.PageReader} makes HTML a page, {@link dev.ossicle.tools.browser.Fetcher} brings pages and {@link
 * dev.ossicle.tools.browser.SearchBackend} finds them. What pages say is told to the model and obeyed by nobody here.
 */
@NullMarked
package dev.ossicle.tools.browser;

import org.jspecify.annotations.NullMarked;
