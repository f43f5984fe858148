package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ReasoningEffort;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseOutputItem;
import com.openai.models.responses.ResponseStreamEvent;
import dev.ossicle.server.Actor;
import dev.ossicle.server.Scripted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own library for Java, unmodified. */
@Timeout(120)
class TestOpenAiJava {
    private static final String MODEL = "gpt-oss-20b";
    private static final Map<String, Object> SCHEMA = Map.of(
            "type",
            "object",
            "properties",
            Map.of("city", Map.of("type", "string")),
            "required",
            List.of("city"),
            "additionalProperties",
            false);

    private final Scripted scripted = new Scripted();
    private final OpenAIClient client;

    TestOpenAiJava() throws IOException {
        scripted.runner.author(new Actor());
        client = OpenAIOkHttpClient.builder()
                .baseUrl(scripted.server.address() + "/v1")
                .apiKey("none")
                .build();
    }

    @AfterEach
    void close() {
        client.close();
        scripted.close();
    }

    private static ChatCompletionCreateParams.Builder chat(String text) {
        return ChatCompletionCreateParams.builder()
                .model(MODEL)
                .addSystemMessage("Be brief.")
                .addUserMessage(text)
                .reasoningEffort(ReasoningEffort.LOW);
    }

    @Test
    void chats() {
        ChatCompletion completion =
                client.chat().completions().create(chat("Hello").build());
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.message().content()).contains("You said: Hello");
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(choice.message()._additionalProperties()).containsEntry("reasoning", JsonValue.from("I know."));
        assertThat(completion.usage().orElseThrow().completionTokens()).isPositive();
        assertThat(scripted.prompt(0)).contains("Reasoning: low").contains("# Instructions\n\nBe brief.");
    }

    @Test
    void chatsInAStream() {
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(chat("Hello").build())) {
            stream.stream().forEach(accumulator::accumulate);
        }
        assertThat(accumulator.chatCompletion().choices().getFirst().message().content())
                .contains("You said: Hello");
    }

    @Test
    void callsFunctionsInAChat() {
        ChatCompletionFunctionTool tool = ChatCompletionFunctionTool.builder()
                .function(FunctionDefinition.builder()
                        .name("get_weather")
                        .parameters(FunctionParameters.builder()
                                .putAllAdditionalProperties(json(SCHEMA))
                                .build())
                        .build())
                .build();
        ChatCompletionCreateParams.Builder asked =
                chat("call get_weather with {\"city\": \"Rome\"}").addTool(tool);
        ChatCompletionMessage message = client.chat()
                .completions()
                .create(asked.build())
                .choices()
                .getFirst()
                .message();
        ChatCompletionMessageFunctionToolCall call =
                message.toolCalls().orElseThrow().getFirst().asFunction();
        assertThat(call.function().name()).isEqualTo("get_weather");
        assertThat(call.function().arguments()).isEqualTo("{\"city\": \"Rome\"}");
        ChatCompletion last = client.chat()
                .completions()
                .create(asked.addMessage(message)
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(call.id())
                                .content("sunny")
                                .build())
                        .build());
        assertThat(last.choices().getFirst().message().content()).contains("It says: sunny");
        assertThat(scripted.prompt(1)).contains("<|channel|>analysis<|message|>I will call it.<|end|>");
    }

    private static Map<String, JsonValue> json(Map<String, Object> values) {
        Map<String, JsonValue> json = new LinkedHashMap<>();
        values.forEach((name, value) -> json.put(name, JsonValue.from(value)));
        return json;
    }

    /** Its own way from classes to schemas needs another version of a library that we use: the schema is written out. */
    @Test
    void answersInJson() {
        ChatCompletionCreateParams asked = chat("say exactly {\"city\": \"Rome\"}")
                .responseFormat(ResponseFormatJsonSchema.builder()
                        .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                                .name("city")
                                .strict(true)
                                .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                        .putAllAdditionalProperties(json(SCHEMA))
                                        .build())
                                .build())
                        .build())
                .build();
        ChatCompletion completion = client.chat().completions().create(asked);
        assertThat(completion.choices().getFirst().message().content()).contains("{\"city\": \"Rome\"}");
        assertThat(scripted.prompt(0)).contains("# Response Formats");
    }

    private static ResponseCreateParams.Builder response(String text) {
        return ResponseCreateParams.builder()
                .model(MODEL)
                .instructions("Be brief.")
                .input(text);
    }

    private static String text(Response response) {
        return response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(content -> content.outputText().stream())
                .map(text -> text.text())
                .reduce("", String::concat);
    }

    @Test
    void responds() {
        Response response = client.responses().create(response("Hello").build());
        assertThat(text(response)).isEqualTo("You said: Hello");
        assertThat(response.output()
                        .getFirst()
                        .asReasoning()
                        .content()
                        .orElseThrow()
                        .getFirst()
                        .text())
                .isEqualTo("I know.");
        assertThat(response.usage().orElseThrow().outputTokensDetails().reasoningTokens())
                .isPositive();

        Response next = client.responses()
                .create(response("And again").previousResponseId(response.id()).build());
        assertThat(text(next)).isEqualTo("You said: And again");
        assertThat(scripted.prompt(1))
                .contains(
                        "<|start|>user<|message|>Hello<|end|><|start|>assistant<|channel|>final<|message|>You said: Hello"
                                + "<|end|><|start|>user<|message|>And again<|end|>");
        assertThat(text(client.responses().retrieve(response.id()))).isEqualTo("You said: Hello");
        assertThat(client.responses().inputItems().list(next.id()).items()).hasSize(1);
        client.responses().delete(response.id());
        assertThatThrownBy(() -> client.responses().retrieve(response.id())).isInstanceOf(NotFoundException.class);
    }

    @Test
    void respondsInAStream() {
        ResponseAccumulator accumulator = ResponseAccumulator.create();
        List<Long> numbers = new ArrayList<>();
        StringBuilder reasoning = new StringBuilder();
        try (StreamResponse<ResponseStreamEvent> stream =
                client.responses().createStreaming(response("Hello").build())) {
            stream.stream().forEach(event -> {
                accumulator.accumulate(event);
                event.reasoningTextDelta().ifPresent(delta -> reasoning.append(delta.delta()));
                event.outputTextDelta().ifPresent(delta -> numbers.add(delta.sequenceNumber()));
            });
        }
        assertThat(text(accumulator.response())).isEqualTo("You said: Hello");
        assertThat(reasoning).hasToString("I know.");
        assertThat(numbers).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void callsFunctionsInAResponse() {
        FunctionTool tool = FunctionTool.builder()
                .name("get_weather")
                .parameters(FunctionTool.Parameters.builder()
                        .putAllAdditionalProperties(json(SCHEMA))
                        .build())
                .strict(true)
                .build();
        Response first = client.responses()
                .create(response("call get_weather with {\"city\": \"Rome\"}")
                        .addTool(tool)
                        .build());
        ResponseFunctionToolCall call = first.output().stream()
                .filter(ResponseOutputItem::isFunctionCall)
                .findFirst()
                .orElseThrow()
                .asFunctionCall();
        assertThat(call.arguments()).isEqualTo("{\"city\": \"Rome\"}");
        Response last = client.responses()
                .create(ResponseCreateParams.builder()
                        .model(MODEL)
                        .previousResponseId(first.id())
                        .addTool(tool)
                        .inputOfResponse(List.of(
                                ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                                        .callId(call.callId())
                                        .output("sunny")
                                        .build())))
                        .build());
        assertThat(text(last)).isEqualTo("It says: sunny");
        assertThat(scripted.prompt(1)).contains("<|channel|>analysis<|message|>I will call it.<|end|>");
    }

    @Test
    void errorsAreItsOwn() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(chat("Hello").temperature(3.0).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature");
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(chat("Hello").model("gpt-5").build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("gpt-5");
        assertThat(client.models().list().data().getFirst().id()).isEqualTo(MODEL);
    }
}
