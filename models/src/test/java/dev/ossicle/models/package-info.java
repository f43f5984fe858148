@NullMarked
package dev.ossicle.models;

import org.jspecify.annotations.NullMarked;
