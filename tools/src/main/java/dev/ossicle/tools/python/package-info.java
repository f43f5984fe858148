/**
 * Python as gpt-oss knows it: a notebook that keeps its variables, in a sandbox.
 *
 * <p>{@link dev.ossicle.tools.python.PythonSession} is one conversation's interpreter, {@link
 * dev.ossicle.tools.python.Sandbox} what it runs in. Knows processes and limits; nothing of conversations.
 */
@NullMarked
package dev.ossicle.tools.python;

import org.jspecify.annotations.NullMarked;
