package dev.ossicle.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TestTypedAnswers {
    enum Size {
        SMALL,
        LARGE
    }

    record Landmark(String name, int year) {}

    record City(
            @ToolFunction.Parameter("In English") String name,
            long population,
            Size size,
            List<Landmark> landmarks,
            Optional<Double> area,
            @Nullable String motto) {}

    @Test
    void aRecordBecomesAClosedSchemaInItsOwnOrder() {
        JsonObject schema = (JsonObject) JavaTypes.schema(City.class);
        assertThat(schema.get("properties"))
                .isInstanceOfSatisfying(
                        JsonObject.class,
                        properties -> assertThat(properties.members().keySet())
                                .containsExactly("name", "population", "size", "landmarks", "area", "motto"));
        assertThat(schema.get("required")).hasToString("[\"name\",\"population\",\"size\",\"landmarks\"]");
        assertThat(schema.get("additionalProperties")).isEqualTo(Json.of(false));
        assertThat(schema.toString())
                .contains("\"enum\":[\"SMALL\",\"LARGE\"]", "\"description\":\"In English\"", "\"year\"");
    }

    @Test
    void anAnswerBecomesARecord() {
        ScriptedModelRunner runner = Scripts.runner();
        Scripts.finalAnswer(
                runner,
                "{\"name\":\"Rome\",\"population\":2800000,\"size\":\"LARGE\",\"landmarks\":[{\"name\":\"Forum\",\"year\":-700}],"
                        + "\"area\":1285.0}");
        try (ChatModel model = Scripts.model(runner)) {
            City city = model.chat().ask("The capital of Italy?", City.class);
            assertThat(city.name()).isEqualTo("Rome");
            assertThat(city.size()).isEqualTo(Size.LARGE);
            assertThat(city.landmarks()).containsExactly(new Landmark("Forum", -700));
            assertThat(city.area()).hasValue(1285.0);
            assertThat(city.motto()).isNull();
            assertThat(Scripts.prompt(runner, 0)).contains("# Response Formats\n\n## answer\n\n{\"type\":\"object\"");
        }
    }

    @Test
    void tooFewTokensAreSaidBeforeAnythingIsGenerated() {
        ScriptedModelRunner runner = Scripts.runner();
        Scripts.finalAnswer(runner, "{\"name\":\"Rome\",\"population\":28000");
        try (ChatModel model = Scripts.model(runner)) {
            assertThatThrownBy(() ->
                            model.chat().limits(Limits.DEFAULT.withTokens(30)).ask("The capital of Italy?", City.class))
                    .isInstanceOf(ChatException.class)
                    .hasMessageContaining("only 30 are left");
        }
    }

    record Numbers(byte b, Short s, int i, long l, double d, boolean yes, Size size, List<Integer> list) {}

    @Test
    void whateverTheModelWouldWriteTheAnswerIsARecord() {
        for (int seed = 0; seed < 30; seed++) {
            // Nothing scripted: a model without opinions.
            ScriptedModelRunner runner = Scripts.runner();
            try (ChatModel model = Scripts.model(runner)) {
                Numbers numbers = model.chat()
                        .options(ChatOptions.DEFAULT.withSeed(seed))
                        .limits(Limits.DEFAULT.withTokens(400))
                        .ask("Numbers?", Numbers.class);
                assertThat(numbers.list()).as("seed %d", seed).isNotNull();
            }
        }
    }

    public static class Calculator {
        @ToolFunction("Adds")
        public Landmark add(
                @ToolFunction.Parameter(value = "First", name = "a") int a,
                @ToolFunction.Parameter(value = "Others", name = "more") List<Integer> more) {
            return new Landmark("sum", a + more.stream().mapToInt(i -> i).sum());
        }

        @ToolFunction(value = "Fails", name = "fail")
        public void failing() {
            throw new UnsupportedOperationException("never");
        }

        public void notATool() {}
    }

    @Test
    void annotatedMethodsBecomeFunctions() throws Exception {
        List<Tool> tools = AnnotatedTools.of(new Calculator());
        assertThat(tools.stream().map(Tool::name)).containsExactly("add", "fail");
        Tool add = tools.getFirst();
        assertThat(add.description().description()).isEqualTo("Adds");
        assertThat(String.valueOf(add.description().parameters()))
                .contains("\"description\":\"First\"")
                .contains("\"required\":[\"a\",\"more\"]");
        assertThat(add.handler().call((JsonObject) Json.parse("{\"a\":1,\"more\":[2,3]}")))
                .isEqualTo("{\"name\":\"sum\",\"year\":6}");
        assertThatThrownBy(() -> add.handler().call((JsonObject) Json.parse("{\"a\":1}")))
                .hasMessageContaining("more is missing");
        assertThatThrownBy(() -> add.handler().call((JsonObject) Json.parse("{\"a\":\"x\",\"more\":[]}")))
                .isInstanceOf(ChatException.class);
        assertThatThrownBy(() -> tools.getLast().handler().call(JsonObject.EMPTY))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("never");
        assertThatThrownBy(() -> AnnotatedTools.of("a string")).hasMessageContaining("@ToolFunction");
    }
}
