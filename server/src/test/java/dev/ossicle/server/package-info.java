@NullMarked
package dev.ossicle.server;

import org.jspecify.annotations.NullMarked;
