/**
 * A folder of the user's documents as the browser's web: searched with Lucene, opened by URL, all of it offline.
 *
 * <p>{@link dev.ossicle.tools.documents.DocumentFolder} is opened once and shared; a document has a URL below {@link
 * dev.ossicle.tools.documents.DocumentFolder#ROOT}. Knows which files are texts; nothing of what a browser shows of them.
 */
@NullMarked
package dev.ossicle.tools.documents;

import org.jspecify.annotations.NullMarked;
