/**
 * Downloads models from the Hugging Face hub: what a repository holds, which of its files are one copy of the weights, and getting them
 * whole over a connection that is not. Nothing that a host says decides where on this machine something is written.
 */
@NullMarked
package dev.ossicle.models.hub;

import org.jspecify.annotations.NullMarked;
