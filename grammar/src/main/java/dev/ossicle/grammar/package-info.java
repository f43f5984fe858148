/**
 * What an answer must obey, as masks over token ids: Harmony's framing, and in it JSON Schema, regular expressions or GBNF.
 *
 * <p>A {@link dev.ossicle.grammar.Grammar} is an expression over bytes, with rules for recursion; its states are what may
 * still follow. {@link dev.ossicle.grammar.TokenGrammar} finds the tokens that lead from state to state by way of a
 * {@link dev.ossicle.grammar.TokenTrie}. {@link dev.ossicle.grammar.HarmonyFraming} puts the grammars of an answer and of
 * tool arguments in their places. Knows nothing of models or HTTP.
 */
@NullMarked
package dev.ossicle.grammar;

import org.jspecify.annotations.NullMarked;
