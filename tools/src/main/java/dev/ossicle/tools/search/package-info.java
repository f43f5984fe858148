/**
 * Searching the web through services that the operator has chosen: an own SearXNG instance, Exa, You.com.
 *
 * <p>Each class is one service, as a {@link dev.ossicle.tools.browser.SearchBackend} and, where the service also brings pages,
 * as a {@link dev.ossicle.tools.browser.PageSource}. The operator's addresses are used as they are; only what the model names
 * is checked.
 */
@NullMarked
package dev.ossicle.tools.search;

import org.jspecify.annotations.NullMarked;
