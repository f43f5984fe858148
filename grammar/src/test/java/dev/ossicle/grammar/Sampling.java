package dev.ossicle.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** A model without opinions, and an independent judge of what it says. */
final class Sampling {
    static final int ROWS = 201_088;
    static final Tokenizer O200K = Tokenizer.o200kHarmony();
    static final TokenTrie TRIE = new TokenTrie(O200K, ROWS);
    static final int END = O200K.special("<|return|>").orElseThrow();

    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private Sampling() {}

    /** Draws evenly from what is allowed until the end token; fails if the budget is overdrawn or the bytes are not UTF-8. */
    static String sample(TokenGrammar grammar, long seed, int budget) {
        SplittableRandom random = new SplittableRandom(seed);
        TokenMask mask = grammar.newMask(Set.of(END), budget);
        BitMask allowed = new BitMask(ROWS);
        List<Integer> tokens = new ArrayList<>();
        while (!mask.mayEnd()) {
            mask.allowed(allowed);
            int count = allowed.cardinality();
            if (count == 0) {
                throw new AssertionError("seed " + seed + ": nothing is allowed after " + text(tokens));
            }
            int token = -1;
            if (count > 5000) {
                do {
                    token = random.nextInt(ROWS);
                } while (!allowed.get(token));
            } else {
                for (int skip = random.nextInt(count); skip >= 0; skip--) {
                    token = allowed.next(token + 1);
                }
            }
            mask.accept(token);
            tokens.add(token);
        }
        assertThat(tokens.size()).as("seed %d", seed).isLessThanOrEqualTo(budget);
        tokens.removeLast();
        return text(tokens);
    }

    private static String text(List<Integer> tokens) {
        byte[] bytes =
                O200K.decodeBytes(tokens.stream().mapToInt(Integer::intValue).toArray());
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new AssertionError("not UTF-8: " + new String(bytes, StandardCharsets.UTF_8), e);
        }
    }

    /** Whether a model that writes the text as the tokenizer splits it may do so, and may end after it. */
    static boolean reachable(TokenGrammar grammar, String text) {
        TokenMask mask = grammar.newMask(Set.of(END), TokenGrammar.UNLIMITED);
        BitMask allowed = new BitMask(ROWS);
        for (int token : O200K.encodeOrdinary(text)) {
            mask.allowed(allowed);
            if (!allowed.get(token)) {
                return false;
            }
            mask.accept(token);
        }
        mask.allowed(allowed);
        return allowed.get(END);
    }

    static Schema judge(String schema) {
        return REGISTRY.getSchema(schema);
    }

    static List<Error> errors(Schema judge, String document) {
        return judge.validate(
                document,
                InputFormat.JSON,
                context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    }
}
