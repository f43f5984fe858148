/** Where finished responses are kept for those that go on from them, and files for those who fetch them. Knows no HTTP. */
@NullMarked
package dev.ossicle.server.store;

import org.jspecify.annotations.NullMarked;
