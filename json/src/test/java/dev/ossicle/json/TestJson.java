package dev.ossicle.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestJson {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "true",
                "false",
                "0",
                "-0",
                "1.0",
                "1e20",
                "-12.50E+3",
                "123456789012345678901234567890",
                "\"\"",
                "\"é漢🙂\"",
                "[]",
                "{}",
                "[1,[2,[]],{}]",
                "{\"b\":1,\"a\":{\"z\":null,\"y\":[true]}}",
                "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\ud800\""
            })
    void writesWhatItRead(String text) {
        assertThat(Json.parse(text)).hasToString(text);
        assertThat(Json.parse(" \n\t\r" + text + " ")).hasToString(text);
    }

    @Test
    void understandsEscapes() {
        assertThat(Json.parse("\"\\u00e9\\ud83d\\ude42\\/\\u0041\"")).isEqualTo(Json.of("é🙂/A"));
    }

    @Test
    void aRepeatedNameKeepsItsPlaceAndTakesTheLastValue() {
        assertThat(Json.parse("{\"a\":1,\"b\":2,\"a\":3}")).hasToString("{\"a\":3,\"b\":2}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "``; 0",
                "nul; 0",
                "tru e; 0",
                "01; 1",
                "+1; 0",
                ".5; 0",
                "1.; 2",
                "1e; 2",
                "-; 1",
                "[1,]; 3",
                "[1; 2",
                "[1 2]; 3",
                "{\"a\"}; 4",
                "{a:1}; 1",
                "{\"a\":1,}; 7",
                "{\"a\":}; 5",
                "\"abc; 4",
                "\"\\x\"; 1",
                "\"\\u12g4\"; 5",
                "\"\\u１234\"; 3",
                "1 2; 2",
                "{} x; 3",
                "NaN; 0"
            })
    void refusesWhatIsNotJson(String text, int offset) {
        assertThatThrownBy(() -> Json.parse(text))
                .isInstanceOfSatisfying(
                        JsonException.class, e -> assertThat(e.offset()).isEqualTo(offset));
    }

    @Test
    void refusesControlCharactersInStrings() {
        assertThatThrownBy(() -> Json.parse("\"a\nb\"")).hasMessageContaining("U+000A");
    }

    @Test
    void nestingHasALimit() {
        assertThat(Json.parse("[".repeat(128) + "]".repeat(128)).kind()).isEqualTo("an array");
        assertThatThrownBy(() -> Json.parse("[".repeat(129) + "]".repeat(129))).hasMessageContaining("deeper than 128");
        assertThatThrownBy(() -> Json.parse("{\"a\":".repeat(1_000_000))).isInstanceOf(JsonException.class);
    }

    @Test
    void numbersConvertExactlyOrNotAtAll() {
        assertThat(new JsonNumber("1e3").intValueExact()).isEqualTo(1000);
        assertThat(new JsonNumber("9223372036854775807").longValueExact()).isEqualTo(Long.MAX_VALUE);
        for (String text : new String[] {"1.5", "9223372036854775808", "1e999999999", "-1e19"}) {
            assertThatThrownBy(() -> new JsonNumber(text).longValueExact())
                    .as(text)
                    .isInstanceOf(ArithmeticException.class);
        }
        assertThatThrownBy(() -> Json.of(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void mutatedDocumentsEndInAValueOrAJsonException() {
        String seedText = "{\"name\":{\"dtype\":\"BF16\",\"shape\":[2,-3.5e2],\"x\":[null,true,\"\\u0041\"]}}";
        for (long seed = 0; seed < 20_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder(seedText);
            for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
                text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(32, 127));
            }
            try {
                Json value = Json.parse(text.toString());
                assertThat(Json.parse(value.toString())).as("seed %d", seed).isEqualTo(value);
            } catch (JsonException e) {
                assertThat(e.offset()).as("seed %d", seed).isBetween(0, text.length());
            }
        }
    }
}
