package dev.ossicle.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class TestBpeTrainer {
    private static final Pattern WORDS = Pattern.compile("\\S+");

    private static List<String> learnt(int vocabulary, String... texts) {
        BpeTrainer.Result result = new BpeTrainer(WORDS).train(List.of(texts), vocabulary);
        return result.tokens().subList(256, result.tokens().size()).stream()
                .map(bytes -> new String(bytes, UTF_8))
                .toList();
    }

    @Test
    void mergesTheMostFrequentPairFirst() {
        assertThat(learnt(259, "low lower lowest", "low")).containsExactly("lo", "low", "lowe");
    }

    @Test
    void stopsWhereNothingOccursTwice() {
        assertThat(learnt(1000, "ab ab cd")).containsExactly("ab");
    }

    @Test
    void takesTheEarliestOfEqualPairs() {
        assertThat(learnt(257, "xy ab xy ab")).containsExactly("xy");
    }

    @Test
    void doesNotMergeAcrossPieces() {
        assertThat(learnt(1000, "a b a b a b")).isEmpty();
    }

    @Test
    void runsOfOneByteMergeFromTheLeft() {
        assertThat(learnt(258, "aaaa aaaa")).containsExactly("aa", "aaaa");
    }

    @Test
    void learnsBytesOfOtherScripts() {
        assertThat(learnt(257, "é é é")).containsExactly("é");
    }
}
