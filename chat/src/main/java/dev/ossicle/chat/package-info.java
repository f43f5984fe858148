/**
 * A conversation with tools: the API that a Java program embeds.
 *
 * <p>{@link dev.ossicle.chat.ChatModel} is a model, here or on a host; {@link dev.ossicle.chat.Chat} is a conversation with
 * it; {@link dev.ossicle.chat.ChatEvent}s stream out of an {@link dev.ossicle.chat.Answer}. Knows nothing of terminals or of
 * serving HTTP.
 */
@NullMarked
package dev.ossicle.chat;

import org.jspecify.annotations.NullMarked;
