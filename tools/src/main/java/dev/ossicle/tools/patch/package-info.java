/**
 * The {@code apply_patch} function that gpt-oss was trained with: changes of text files, told by their context.
 *
 * <p>{@link dev.ossicle.tools.patch.PatchParser} reads a patch against the files that it names, {@link
 * dev.ossicle.tools.patch.Workspace} is the one folder that patches may change, all or nothing, {@link
 * dev.ossicle.tools.patch.ApplyPatchSession} is the tool. Knows files; nothing of version control.
 */
@NullMarked
package dev.ossicle.tools.patch;

import org.jspecify.annotations.NullMarked;
