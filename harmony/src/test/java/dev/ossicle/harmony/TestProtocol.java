package dev.ossicle.harmony;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestProtocol {
    private static final HarmonyProtocol PROTOCOL = new HarmonyProtocol(Wire.ENCODING);

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{\"op\":\"stop_tokens\"}; {\"tokens\":[200002,200007,200012],\"assistant_actions\":[200002,200012]}",
                "{\"op\":\"encode\",\"text\":\"a<|end|>\"}; {\"tokens\":[64,27,91,419,91,29]}",
                "{\"op\":\"encode\",\"text\":\"a<|end|>\",\"allowed_special\":[\"<|end|>\"]}; {\"tokens\":[64,200007]}",
                "{\"op\":\"decode\",\"tokens\":[64,200007]}; {\"text\":\"a<|end|>\"}",
                "{\"op\":\"decode\",\"tokens\":[-1]}; {\"error\":\"Could not decode tokens: Invalid token error: "
                        + "Invalid token for decoding: -1\"}",
                "{\"op\":\"decode\",\"tokens\":[1.5]}; {\"error\":\"tokens[0]: 1.5 is no token\"}",
                "{\"op\":\"decode\",\"tokens\":[\"1\"]}; {\"error\":\"tokens[0]: expected a number, found a string\"}",
                "{\"op\":\"decode\"}; {\"error\":\"tokens: missing\"}",
                "{\"op\":\"sing\"}; {\"error\":\"op: unknown operation \\\"sing\\\"\"}",
                "{}; {\"error\":\"op: missing\"}",
                "[]; {\"error\":\"a request is an object, found an array\"}",
                "{; {\"error\":\"expected a member name in quotes, found the end of the text at offset 1\"}",
                "``; {\"error\":\"unexpected end of text at offset 0\"}",
                "{\"op\":\"parse\",\"tokens\":[200008,64],\"role\":\"user\"}; "
                        + "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"repairs\":[]}",
                "{\"op\":\"parse\",\"tokens\":[],\"role\":\"king\"}; {\"error\":\"unknown role: king\"}",
                "{\"op\":\"parse\",\"tokens\":[],\"mode\":\"loose\"}; "
                        + "{\"error\":\"mode: expected \\\"strict\\\", \\\"lenient\\\" or \\\"total\\\", found \\\"loose\\\"\"}",
                "{\"op\":\"parse\",\"tokens\":[64],\"mode\":\"total\",\"role\":\"assistant\"}; "
                        + "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}],\"repairs\":["
                        + "{\"kind\":\"missing_message\",\"message\":0,\"from\":0,\"to\":1,\"text\":\"a\"},"
                        + "{\"kind\":\"text_in_header\",\"message\":0,\"from\":0,\"to\":1,\"text\":\"a\"}]}",
                "{\"op\":\"stream\",\"tokens\":[200008,64,200007],\"role\":\"user\"}; {\"steps\":["
                        + "{\"state\":\"Content\",\"role\":\"user\",\"content\":\"\"},"
                        + "{\"state\":\"Content\",\"role\":\"user\",\"delta\":\"a\",\"content\":\"a\"},"
                        + "{\"state\":\"ExpectStart\",\"content\":\"\"}],"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"repairs\":[]}",
                "{\"op\":\"render_message\",\"message\":{\"role\":\"user\",\"content\":\"a\"}}; "
                        + "{\"tokens\":[200006,1428,200008,64,200007]}",
                "{\"op\":\"render_for_completion\",\"conversation\":{\"messages\":[]}}; {\"tokens\":[200006,173781]}",
                "{\"op\":\"render_for_training\",\"conversation\":{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\","
                        + "\"channel\":\"final\"}]}}; {\"tokens\":[200006,173781,200005,17196,200008,64,200002]}",
                "{\"op\":\"render\",\"conversation\":{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\","
                        + "\"channel\":\"final\"}]}}; {\"tokens\":[200006,173781,200005,17196,200008,64,200007]}",
            })
    void answersALineWithALine(String request, String answer) {
        assertThat(PROTOCOL.answer(request)).isEqualTo(answer);
    }

    @Test
    void alwaysAnswersWithAnObject() {
        String request = "{\"op\":\"render\",\"conversation\":{\"messages\":[{\"role\":\"system\",\"content\":"
                + "[{\"type\":\"system_content\",\"tools\":{\"a\":{\"name\":\"a\",\"tools\":[{\"name\":\"f\","
                + "\"description\":\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{\"x\":{\"oneOf\":[{}]}}}}]}}}]}]}}";
        assertThat(PROTOCOL.answer(request)).startsWith("{\"tokens\":");
        for (long seed = 0; seed < 3000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder mutated = new StringBuilder(request);
            for (int n = random.nextInt(1, 4); n > 0; n--) {
                int at = random.nextInt(mutated.length());
                switch (random.nextInt(3)) {
                    case 0 -> mutated.deleteCharAt(at);
                    case 1 -> mutated.insert(at, "{}[]\",:01nt".charAt(random.nextInt(11)));
                    default -> mutated.setCharAt(at, mutated.charAt(random.nextInt(mutated.length())));
                }
            }
            assertThat(Json.parse(PROTOCOL.answer(mutated.toString())))
                    .as("seed %d: %s", seed, mutated)
                    .isInstanceOf(JsonObject.class);
        }
    }

    @Test
    void theHelpNamesEveryOperation() {
        for (String op : new String[] {
            "render",
            "render_for_completion",
            "render_for_training",
            "render_message",
            "parse",
            "stream",
            "encode",
            "decode",
            "stop_tokens"
        }) {
            assertThat(HarmonyProtocol.HELP).contains("{\"op\": \"" + op + "\"");
            assertThat(PROTOCOL.answer("{\"op\":\"" + op + "\"}")).doesNotContain("unknown operation");
        }
    }
}
