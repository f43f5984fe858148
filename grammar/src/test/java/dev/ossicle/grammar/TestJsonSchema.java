package dev.ossicle.grammar;

import static dev.ossicle.grammar.Sampling.TRIE;
import static dev.ossicle.grammar.Sampling.errors;
import static dev.ossicle.grammar.Sampling.judge;
import static dev.ossicle.grammar.Sampling.reachable;
import static dev.ossicle.grammar.Sampling.sample;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import dev.ossicle.json.Json;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every keyword both ways: what is sampled is valid, and what is valid and written as models do can be sampled. */
class TestJsonSchema {
    /** A schema, documents of it that must be reachable, and others that are not of it. */
    record Case(String name, String schema, List<String> valid, List<String> invalid) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, String schema, List<String> valid, List<String> invalid) {
        return new Case(name, schema, valid, invalid);
    }

    static Stream<Case> cases() {
        return Stream.of(
                of(
                        "object",
                        """
                        {"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},
                         "required":["a","b"],"additionalProperties":false}""",
                        List.of("{\"a\":\"x\",\"b\":1}", "{\"a\": \"\", \"b\": -12}"),
                        List.of("{}", "{\"a\":\"x\"}", "{\"a\":1,\"b\":1}", "{\"a\":\"x\",\"b\":1,\"c\":2}")),
                of(
                        "optional properties",
                        """
                        {"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},
                         "required":["b"],"additionalProperties":false}""",
                        List.of(
                                "{\"b\":null}",
                                "{\"a\":null,\"b\":null}",
                                "{\"b\":null,\"c\":null}",
                                "{\"a\": null, \"b\": null, \"c\": null}"),
                        List.of("{}", "{\"a\":null}", "{\"a\":null,\"c\":null}", "{\"b\":null,}")),
                of(
                        "all optional",
                        """
                        {"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"additionalProperties":false}""",
                        List.of("{}", "{\"a\":null}", "{\"b\":null}", "{\"a\":null,\"b\":null}"),
                        List.of("{\"c\":null}")),
                of(
                        "additional properties of a schema",
                        """
                        {"type":"object","properties":{"name":{"type":"string"}},"additionalProperties":{"type":"integer"}}""",
                        List.of(
                                "{}",
                                "{\"name\":\"x\"}",
                                "{\"name\":\"x\",\"other\":1}",
                                "{\"names\":1}",
                                "{\"nam\":1, \"größe \\\" \\n\": 2}",
                                "{\"\":1}"),
                        List.of("{\"name\":1}", "{\"other\":\"x\"}", "{\"name\":\"x\",\"name\\u0073\":\"x\"}")),
                of(
                        "additional properties of any kind",
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"additionalProperties\":true}",
                        List.of("{\"a\":1,\"b\":[1,{\"c\":null}]}", "{\"b\":true}"),
                        List.of("{\"a\":\"x\"}", "{\"a\":1,\"b\"}")),
                of(
                        "map",
                        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"boolean\"}}",
                        List.of("{}", "{\"x\":true}", "{\"x\": true, \"y\": false}"),
                        List.of("{\"x\":1}")),
                of("any object", "{\"type\":\"object\"}", List.of("{}", "{\"a\":[{}]}"), List.of("[]", "1")),
                of(
                        "required but not declared",
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"z\"]}",
                        List.of("{\"z\":1}", "{\"a\":null,\"z\":\"x\"}"),
                        List.of("{}", "{\"a\":null}")),
                of(
                        "array",
                        "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}",
                        List.of("[]", "[true]", "[true,false]", "[true, false, true]"),
                        List.of("[1]", "[true,]", "true")),
                of(
                        "array bounds",
                        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3}",
                        List.of("[1,2]", "[1, 2, 3]"),
                        List.of("[]", "[1]", "[1,2,3,4]")),
                of(
                        "empty array",
                        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":0}",
                        List.of("[]"),
                        List.of("[1]")),
                of(
                        "tuple",
                        """
                        {"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},
                         "minItems":1,"maxItems":4}""",
                        List.of("[1]", "[1,\"x\"]", "[1,\"x\",null]", "[1, \"x\", null, null]"),
                        List.of("[]", "[\"x\"]", "[1,\"x\",null,null,null]", "[1,\"x\",2]")),
                of(
                        "closed tuple",
                        "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"items\":false}",
                        List.of("[]", "[1]", "[1,\"x\"]"),
                        List.of("[1,\"x\",2]", "[\"x\"]")),
                of(
                        "enum",
                        "{\"enum\":[\"red\",\"red rose\",\"größe\",\"a\\\"b\",1,2.5,null,true,{\"a\":[1]}]}",
                        List.of(
                                "\"red\"",
                                "\"red rose\"",
                                "\"größe\"",
                                "\"a\\\"b\"",
                                "1",
                                "2.5",
                                "null",
                                "true",
                                "{\"a\":[1]}"),
                        List.of("\"re\"", "\"red r\"", "2", "false", "{}")),
                of(
                        "enum with a type",
                        "{\"type\":[\"string\",\"null\"],\"enum\":[\"a\",1,null]}",
                        List.of("\"a\"", "null"),
                        List.of("1")),
                of(
                        "enum with bounds",
                        "{\"type\":\"string\",\"enum\":[\"a\",\"abc\",\"abcdef\"],\"minLength\":2,\"maxLength\":4}",
                        List.of("\"abc\""),
                        List.of("\"a\"", "\"abcdef\"")),
                of("const", "{\"const\":{\"x\":1}}", List.of("{\"x\":1}"), List.of("{\"x\":2}")),
                of(
                        "type array",
                        "{\"type\":[\"integer\",\"string\",\"null\"],\"minimum\":5,\"maxLength\":1}",
                        List.of("5", "\"x\"", "\"\"", "null"),
                        List.of("4", "\"xx\"", "true")),
                of(
                        "boolean and null",
                        "{\"type\":[\"boolean\",\"null\"]}",
                        List.of("true", "false", "null"),
                        List.of("0")),
                of("anything", "{}", List.of("1", "\"x\"", "[]", "{\"a\":[null]}"), List.of("nul", "[1,]")),
                of(
                        "anyOf",
                        """
                        {"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":"integer"}},"required":["k","x"],
                         "additionalProperties":false},{"type":"object","properties":{"k":{"const":"ab"},"y":{"type":"string"}},
                         "required":["k","y"],"additionalProperties":false},{"type":"null"}]}""",
                        List.of("{\"k\":\"a\",\"x\":1}", "{\"k\": \"ab\", \"y\": \"z\"}", "null"),
                        List.of("{\"k\":\"a\",\"y\":\"z\"}", "{\"k\":\"ab\",\"x\":1}")),
                of("anyOf with siblings", """
                        {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"additionalProperties":false,
                         "anyOf":[{"required":["a"]},{"required":["b"]}]}""", List.of("{\"a\":1}", "{\"b\":1}", "{\"a\":1,\"b\":2}"), List.of("{}")),
                of(
                        "oneOf by a discriminator",
                        """
                        {"oneOf":[{"type":"object","properties":{"t":{"const":"x"},"v":{"type":"integer"}},"required":["t","v"],
                         "additionalProperties":false},{"type":"object","properties":{"t":{"enum":["y","z"]}},"required":["t"],
                         "additionalProperties":false},{"type":"string"}]}""",
                        List.of("{\"t\":\"x\",\"v\":1}", "{\"t\":\"z\"}", "\"q\""),
                        List.of("{\"t\":\"x\"}", "{\"t\":\"y\",\"v\":1}")),
                of(
                        "allOf of one",
                        "{\"allOf\":[{\"type\":\"integer\",\"minimum\":3}]}",
                        List.of("3", "40"),
                        List.of("2")),
                of(
                        "allOf of objects",
                        """
                        {"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"]},
                         {"properties":{"b":{"type":"string"},"a":{"type":"integer","maximum":9}},"required":["b"]}]}""",
                        List.of("{\"a\":5,\"b\":\"x\"}"),
                        List.of("{\"a\":0,\"b\":\"x\"}", "{\"a\":10,\"b\":\"x\"}", "{\"a\":5}", "{\"b\":\"x\"}")),
                of(
                        "allOf with what one of them leaves over",
                        """
                        {"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"integer"}},
                         {"type":"object","properties":{"b":{"minimum":7}},"required":["b"]}]}""",
                        List.of("{\"a\":1,\"b\":7}", "{\"b\":8,\"c\":1}"),
                        List.of("{\"b\":6}", "{\"b\":7.5}", "{\"b\":7,\"c\":\"x\"}")),
                of(
                        "allOf of patterns",
                        "{\"allOf\":[{\"type\":\"string\",\"pattern\":\"^a\"},{\"pattern\":\"b$\"}],\"maxLength\":5}",
                        List.of("\"ab\"", "\"axxxb\""),
                        List.of("\"a\"", "\"axxxxb\"", "\"b\"")),
                of("references", """
                        {"type":"object","properties":{"a":{"$ref":"#/$defs/x"},"b":{"$ref":"#/definitions/odd~1na%6De"}},
                         "required":["a","b"],"$defs":{"x":{"type":"integer"}},"definitions":{"odd/name":{"type":"boolean"}}}""", List.of("{\"a\":1,\"b\":true}"), List.of("{\"a\":true,\"b\":true}")),
                of(
                        "reference with siblings",
                        "{\"$ref\":\"#/$defs/x\",\"minimum\":3,\"$defs\":{\"x\":{\"type\":\"integer\",\"maximum\":5}}}",
                        List.of("3", "5"),
                        List.of("2", "6")),
                of(
                        "recursion",
                        """
                        {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},
                         "next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"],
                         "additionalProperties":false}}}""",
                        List.of(
                                "{\"v\":1,\"next\":null}",
                                "{\"v\":1,\"next\":{\"v\":2,\"next\":{\"v\":3,\"next\":null}}}"),
                        List.of(
                                "{\"v\":1}",
                                "{\"v\":1,\"next\":{\"v\":2}}",
                                "{\"v\":1,\"next\":{\"v\":2,\"next\":null}")),
                of(
                        "recursion from the root",
                        """
                        {"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},
                         "required":["name","children"],"additionalProperties":false}""",
                        List.of(
                                "{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"children\":[]},{\"name\":\"c\",\"children\":[]}]}"),
                        List.of("{\"name\":\"a\",\"children\":[{}]}")),
                of(
                        "string lengths",
                        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
                        List.of(
                                "\"ab\"",
                                "\"abc\"",
                                "\"äö\"",
                                "\"😀😀😀\"",
                                "\"\\ud83d\\ude00\\n\"",
                                "\"\\u00e9x\"",
                                "\"\\\"\\\\\""),
                        List.of("\"a\"", "\"abcd\"", "\"\"", "\"😀\"", "\"\\ud83d\\ude00\"")),
                of(
                        "strings",
                        "{\"type\":\"string\"}",
                        List.of(
                                "\"\"",
                                "\"\\u0000\\/\\b\\f\\n\\r\\t\\u007f\u007f\"",
                                "\"日本語 😀 \\ud83d\\ude00\"",
                                "\"\uffff\"",
                                "\"// \\\\\""),
                        List.of("\"", "\"\n\"", "\"\\x\"", "\"a\"b\"", "\"\\u12\"")),
                of(
                        "pattern",
                        "{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}-\\\\d+(\\\\.\\\\d)?$\"}",
                        List.of("\"AB-1\"", "\"AB-123.4\""),
                        List.of("\"A-1\"", "\"AB-1.\"", "\"xAB-1\"")),
                of(
                        "pattern anywhere",
                        "{\"type\":\"string\",\"pattern\":\"foo|^b.r\"}",
                        List.of("\"foo\"", "\"a \\\"foo\\\"\\n\"", "\"bar\"", "\"b😀r and more\""),
                        List.of("\"fo\"", "\"abar\"")),
                of(
                        "pattern with lengths",
                        "{\"type\":\"string\",\"pattern\":\"^[a-zé\\\"]*$\",\"minLength\":3,\"maxLength\":5}",
                        List.of("\"abc\"", "\"éé\\\"éé\""),
                        List.of("\"ab\"", "\"abcdef\"", "\"AB1\"")),
                of(
                        "integer bounds",
                        "{\"type\":\"integer\",\"minimum\":-15,\"maximum\":1207}",
                        List.of("-15", "-9", "0", "7", "99", "100", "999", "1000", "1207"),
                        List.of("-16", "1208", "-20", "2000", "1.5", "12070")),
                of(
                        "integer, exclusive",
                        "{\"type\":\"integer\",\"exclusiveMinimum\":3,\"exclusiveMaximum\":6}",
                        List.of("4", "5"),
                        List.of("3", "6", "45")),
                of(
                        "integer from",
                        "{\"type\":\"integer\",\"minimum\":57}",
                        List.of("57", "58", "99", "100", "123456789012"),
                        List.of("56", "6", "-57", "0")),
                of(
                        "integer to",
                        "{\"type\":\"integer\",\"maximum\":-3.5}",
                        List.of("-4", "-10", "-99999"),
                        List.of("-3", "0", "4")),
                of(
                        "multiples",
                        "{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":-20,\"maximum\":100}",
                        List.of("0", "7", "-14", "98"),
                        List.of("1", "105", "-21", "6")),
                of(
                        "multiples with zeros",
                        "{\"type\":\"integer\",\"multipleOf\":3000}",
                        List.of("0", "3000", "-27000"),
                        List.of("300", "1000")),
                of(
                        "number bounds",
                        "{\"type\":\"number\",\"minimum\":-1.25,\"maximum\":12.5}",
                        List.of(
                                "-1.25", "-1.2", "-1", "-0.5", "0", "0.001", "3", "11.99", "12", "12.4999", "12.5",
                                "12.50"),
                        List.of("-1.26", "-1.3", "-2", "12.51", "13", "12.6", "100")),
                of(
                        "number, exclusive",
                        "{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}",
                        List.of("0.5", "0.0001", "0.9999"),
                        List.of("0", "1", "0.0", "1.0", "-0.5")),
                of(
                        "number within one",
                        "{\"type\":\"number\",\"minimum\":3.14,\"exclusiveMaximum\":3.15}",
                        List.of("3.14", "3.1499", "3.140"),
                        List.of("3.15", "3.1", "3", "3.139", "3.150")),
                of(
                        "number from",
                        "{\"type\":\"number\",\"minimum\":99.5}",
                        List.of("99.5", "100", "123456.7"),
                        List.of("99.4", "99", "9", "-100")),
                of(
                        "numbers",
                        "{\"type\":\"number\"}",
                        List.of(
                                "0",
                                "-0",
                                "1.5",
                                "-12.25",
                                "1e5",
                                "2.5E-10",
                                "1.7976931348623157e308".replace("308", "307")),
                        List.of("01", "1.", ".5", "+1", "1e", "--1")),
                of(
                        "cents",
                        "{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":0}",
                        List.of("0", "1.5", "12.25", "3"),
                        List.of("1.255", "-1")),
                of(
                        "quarters",
                        "{\"type\":\"number\",\"multipleOf\":0.25}",
                        List.of("0.25", "0.5", "-3.75", "4"),
                        List.of("0.2", "0.3", "0.255")),
                of(
                        "date",
                        "{\"type\":\"string\",\"format\":\"date\"}",
                        List.of("\"2024-02-29\"", "\"1999-12-31\"", "\"2000-02-29\""),
                        List.of("\"2023-02-29\"", "\"1900-02-29\"", "\"2023-04-31\"", "\"2023-1-1\"")),
                of(
                        "time",
                        "{\"type\":\"string\",\"format\":\"time\"}",
                        List.of("\"12:34:56Z\"", "\"23:59:59.123+02:00\""),
                        List.of("\"24:00:00Z\"", "\"12:34\"")),
                of(
                        "date-time",
                        "{\"type\":\"string\",\"format\":\"date-time\"}",
                        List.of("\"2024-02-29T12:34:56Z\"", "\"2024-11-23T01:02:03.5-08:00\""),
                        List.of("\"2024-02-30T12:34:56Z\"", "\"2024-02-29\"")),
                of(
                        "duration",
                        "{\"type\":\"string\",\"format\":\"duration\"}",
                        List.of("\"P1D\"", "\"PT1H30M\"", "\"P3W\"", "\"P1Y2M3DT4H5M6S\""),
                        List.of("\"P\"", "\"1D\"", "\"PT\"")),
                of(
                        "email",
                        "{\"type\":\"string\",\"format\":\"email\"}",
                        List.of("\"ada.lovelace+x@example.com\""),
                        List.of("\"ada\"", "\"@example.com\"")),
                of(
                        "hostname",
                        "{\"type\":\"string\",\"format\":\"hostname\"}",
                        List.of("\"example.com\"", "\"a-b.c1\""),
                        List.of("\"-a\"", "\"a..b\"", "\"a_b\"")),
                of(
                        "ipv4",
                        "{\"type\":\"string\",\"format\":\"ipv4\"}",
                        List.of("\"127.0.0.1\"", "\"255.249.199.99\""),
                        List.of("\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\"")),
                of(
                        "ipv6",
                        "{\"type\":\"string\",\"format\":\"ipv6\"}",
                        List.of(
                                "\"::1\"",
                                "\"::\"",
                                "\"2001:db8::8a2e:370:7334\"",
                                "\"1:2:3:4:5:6:7:8\"",
                                "\"fe80::\""),
                        List.of("\":1\"", "\"1::2::3\"", "\"12345::\"", "\"1:2:3:4:5:6:7\"")),
                of(
                        "uuid",
                        "{\"type\":\"string\",\"format\":\"uuid\"}",
                        List.of("\"123e4567-e89b-12d3-a456-426614174000\""),
                        List.of("\"123e4567\"")),
                of(
                        "format with a pattern",
                        "{\"type\":\"string\",\"format\":\"date\",\"pattern\":\"^20\"}",
                        List.of("\"2024-01-01\""),
                        List.of("\"1999-01-01\"")),
                of("annotations", """
                        {"$schema":"https://json-schema.org/draft/2020-12/schema","title":"T","description":"D","type":"object",
                         "properties":{"a":{"type":"integer","default":3,"examples":[1],"description":"d"}},"required":["a"],
                         "x-order":1,"additionalProperties":false}""", List.of("{\"a\":1}"), List.of("{}")),
                of("odd names", """
                        {"type":"object","properties":{"a b":{"type":"null"},"\\"q\\"\\n":{"type":"null"},"größe😀":{"type":"null"}},
                         "required":["a b","\\"q\\"\\n","größe😀"],"additionalProperties":false}""", List.of("{\"a b\":null,\"\\\"q\\\"\\n\":null,\"größe😀\":null}"), List.of("{}")),
                of(
                        "forbidden property",
                        "{\"type\":\"object\",\"properties\":{\"a\":false,\"b\":{\"type\":\"null\"}},\"additionalProperties\":true}",
                        List.of("{\"b\":null}", "{\"c\":1}", "{}"),
                        List.of("{\"a\":1}")));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void validDocumentsAndNoOthersAreReachable(Case one) {
        TokenGrammar grammar = Grammar.jsonSchema(Json.parse(one.schema)).over(TRIE);
        Schema judge = judge(one.schema);
        for (String document : one.valid) {
            assertThat(errors(judge, document)).as("the judge of %s", document).isEmpty();
            assertThat(reachable(grammar, document)).as(document).isTrue();
        }
        for (String document : one.invalid) {
            assertThat(reachable(grammar, document)).as(document).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void samplesAreValid(Case one) {
        TokenGrammar grammar = Grammar.jsonSchema(Json.parse(one.schema)).over(TRIE);
        Schema judge = judge(one.schema);
        for (long seed = 0; seed < 20; seed++) {
            int budget = grammar.minTokens() + 1 + (int) seed * 4;
            String document = sample(grammar, seed, budget);
            Json.parse(document);
            if (one.name.equals("email")) {
                document = document.replaceFirst("[A-Za-z]+\"$", "com\""); // the judge knows the top-level domains
            }
            assertThat(errors(judge, document))
                    .as("seed %d: %s", seed, document)
                    .isEmpty();
        }
    }
}
