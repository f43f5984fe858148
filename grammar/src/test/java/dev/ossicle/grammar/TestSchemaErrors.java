package dev.ossicle.grammar;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.json.Json;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not supported or not possible is said at once, with its place. */
class TestSchemaErrors {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "not",
                "if",
                "then",
                "else",
                "dependentRequired",
                "dependentSchemas",
                "dependencies",
                "contains",
                "minContains",
                "maxContains",
                "uniqueItems",
                "patternProperties",
                "propertyNames",
                "minProperties",
                "maxProperties",
                "unevaluatedProperties",
                "unevaluatedItems",
                "additionalItems",
                "$dynamicRef",
                "$anchor",
                "contentEncoding",
                "madeUp"
            })
    void unsupportedKeywordsAreNamedWithTheirPath(String keyword) {
        String schema =
                "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\",\"%s\":true}}}".formatted(keyword);
        assertThatThrownBy(() -> Grammar.jsonSchema(Json.parse(schema)))
                .isInstanceOf(GrammarException.class)
                .hasMessage("$.properties.x: keyword \"" + keyword + "\" is not supported");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "3 | $: a schema is an object",
                "{\"type\":\"text\"} | $.type: \"text\" is not one of",
                "{\"type\":[]} | $.type: no type",
                "{\"enum\":[]} | $.enum: must be an array that is not empty",
                "{\"anyOf\":[]} | $.anyOf: must be an array that is not empty",
                "{\"type\":\"string\",\"minLength\":3,\"maxLength\":2} | $: minLength is above maxLength",
                "{\"type\":\"string\",\"minLength\":-1} | $.minLength: must be a whole number",
                "{\"type\":\"string\",\"minLength\":\"1\"} | $.minLength: must be a number, not a string",
                "{\"type\":\"array\",\"minItems\":3,\"maxItems\":2} | $: minItems is above maxItems",
                "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2} | $: no number is between",
                "{\"type\":\"integer\",\"minimum\":1.2,\"maximum\":1.8} | $: no value of finite length",
                "{\"type\":\"integer\",\"exclusiveMinimum\":true} | $.exclusiveMinimum: must be a number",
                "{\"type\":\"integer\",\"minimum\":11,\"maximum\":13,\"multipleOf\":7} | $: no value of finite length",
                "{\"type\":\"integer\",\"multipleOf\":0} | $.multipleOf: must be above 0",
                "{\"type\":\"integer\",\"multipleOf\":1234567} | $.multipleOf: 1234567 is not supported",
                "{\"type\":\"integer\",\"minimum\":1e999999999} | $.minimum: a bound with",
                "{\"type\":\"string\",\"format\":\"uri\"} | $.format: format \"uri\" is not supported, these are: date",
                "{\"type\":\"string\",\"pattern\":\"a(?=b)\"} | $.pattern: \"a(?=b)\" at 3: look-around",
                "{\"type\":\"string\",\"pattern\":\"(a)\\\\1\"} | $.pattern: \"(a)\\1\" at 5: a back-reference",
                "{\"type\":\"string\",\"pattern\":\"(\"} | $.pattern: \"(\" at 1: expected )",
                "{\"type\":\"string\",\"pattern\":\"^a$\",\"minLength\":2} | $: no value of finite length",
                "{\"$ref\":\"#/$defs/a\"} | $.$ref: there is no \"#/$defs/a\"",
                "{\"$ref\":\"http://x/y\"} | $.$ref: \"http://x/y\" is not supported",
                "{\"$ref\":\"#\"} | $: refers to itself before anything else comes",
                "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#\"}]} | $: refers to itself before anything else comes",
                "{\"allOf\":[{\"$ref\":\"#\"}]} | $: $ref and allOf lead back to themselves",
                "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]} | $: no value has both",
                "{\"allOf\":[{\"format\":\"date\"},{\"format\":\"time\"}]} | $: keyword \"format\" stands in two",
                "{\"allOf\":[{\"type\":\"string\"},{\"not\":{}}]} | $.allOf[1]: keyword \"not\" is not supported",
                "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]} | $.oneOf[1]: cannot tell that it excludes",
                "{\"properties\":{\"a b\":{\"$defs\":{},\"if\":1}}} | $.properties[\"a b\"]: keyword \"if\"",
                "{\"properties\":{\"a\":false},\"required\":[\"a\"]} | $: property \"a\" is required",
                "{\"properties\":{\"n\":{\"$ref\":\"#\"}},\"required\":[\"n\"]} | $.properties.n",
                "{\"enum\":[\"abc\"],\"maxLength\":2} | $: none of the enumerated values",
                "{\"items\":[{}]} | $.items: a schema is an object, true or false, not an array",
                "{\"type\":\"array\",\"items\":{},\"minItems\":2000000} | $: together these constraints"
            })
    void whatCannotBeEnforcedIsRefusedWithItsPath(String schema, String message) {
        if (schema.equals("{\"$ref\":\"#\"}")) {
            // A reference to itself alone never becomes anything at all.
            assertThatThrownBy(() -> Grammar.jsonSchema(Json.parse(schema))).hasMessageContaining("refers to itself");
            return;
        }
        assertThatThrownBy(() -> Grammar.jsonSchema(Json.parse(schema)))
                .isInstanceOf(GrammarException.class)
                .hasMessageStartingWith(message);
    }
}
