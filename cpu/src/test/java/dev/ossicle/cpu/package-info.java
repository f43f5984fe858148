/** Both runners against each other, and against published numbers. */
@NullMarked
package dev.ossicle.cpu;

import org.jspecify.annotations.NullMarked;
