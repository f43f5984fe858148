/**
 * What an answer must obey, compiled to masks over token ids: so far Harmony's framing.
 *
 * <p>Automata run over bytes and control tokens; {@link dev.ossicle.grammar.TokenTrie} finds the tokens whose bytes an
 * automaton accepts. Knows nothing of models or HTTP.
 */
@NullMarked
package dev.ossicle.grammar;

import org.jspecify.annotations.NullMarked;
