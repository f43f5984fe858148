/** The page that people see in a browser: static files out of the jar. Knows no model; the page asks the API as any client does. */
@NullMarked
package dev.ossicle.server.web;

import org.jspecify.annotations.NullMarked;
