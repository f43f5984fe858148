package dev.ossicle.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestBitMask {
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 128, 201_088})
    void agreesWithABitSet(int size) {
        SplittableRandom random = new SplittableRandom(size);
        BitMask mask = new BitMask(size);
        BitSet expected = new BitSet(size);
        for (int i = 0; i < 500; i++) {
            int id = random.nextInt(size);
            if (random.nextBoolean()) {
                mask.set(id);
                expected.set(id);
            } else {
                mask.clear(id);
                expected.clear(id);
            }
            int from = random.nextInt(size + 1);
            assertThat(mask.next(from)).isEqualTo(expected.nextSetBit(from));
        }
        assertThat(mask.cardinality()).isEqualTo(expected.cardinality());
        assertThat(mask.get(size - 1)).isEqualTo(expected.get(size - 1));
        mask.setAll();
        assertThat(mask.cardinality()).isEqualTo(size);
        BitMask other = new BitMask(size);
        other.set(size - 1);
        mask.and(other);
        assertThat(mask.next(0)).isEqualTo(size - 1);
        mask.clearAll();
        assertThat(mask.isEmpty()).isTrue();
        mask.or(other);
        assertThat(mask.cardinality()).isEqualTo(1);
    }

    @Test
    void idsOutsideAreRefused() {
        assertThatThrownBy(() -> new BitMask(10).set(10)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> new BitMask(10).and(new BitMask(11))).isInstanceOf(IllegalArgumentException.class);
    }
}
