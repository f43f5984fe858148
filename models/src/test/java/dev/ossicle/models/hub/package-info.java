@NullMarked
package dev.ossicle.models.hub;

import org.jspecify.annotations.NullMarked;
