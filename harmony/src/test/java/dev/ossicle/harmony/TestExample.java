package dev.ossicle.harmony;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The public API in use: a question, a call to a function, its result, and the answer. */
class TestExample {
    @Test
    void askCallAndAnswer() {
        HarmonyEncoding encoding = HarmonyEncoding.gptOss();

        // What the model is told.
        ToolDescription getWeather = new ToolDescription("get_weather", "Gets the weather of a city.", Json.parse("""
                        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}"""));
        Message system = Message.of(
                Role.SYSTEM,
                SystemContent.DEFAULT.withReasoningEffort(ReasoningEffort.LOW).withConversationStartDate("2026-11-23"));
        Message developer = Message.of(
                Role.DEVELOPER, DeveloperContent.of("Answer in one sentence.").withFunctionTools(List.of(getWeather)));
        Message question = Message.of(Role.USER, "What is the weather in Paris?");
        Conversation conversation = Conversation.of(system, developer, question);

        // The prompt: tokens that end in <|start|>assistant. Sampling stops at these.
        int[] prompt = encoding.renderForCompletion(conversation, Role.ASSISTANT);
        assertThat(encoding.tokenizer().decode(prompt)).endsWith("Paris?<|end|><|start|>assistant");
        assertThat(encoding.stopTokensForAssistantActions()).containsExactlyInAnyOrder(200_002, 200_012);

        // What the model answers, token by token; in its header the marker of the channel is missing.
        HarmonyParser parser = encoding.parser(Role.ASSISTANT, ParseMode.TOTAL);
        StringBuilder reasoning = new StringBuilder();
        for (int token : Wire.tokens("<|channel|>analysis<|message|>A call.<|end|>"
                + "<|start|>assistantcommentary to=functions.get_weather <|constrain|>json<|message|>"
                + "{\"city\":\"Paris\"}<|call|>")) {
            parser.process(token);
            if (parser.delta() != null && Message.ANALYSIS.equals(parser.channel())) {
                reasoning.append(parser.delta());
            }
        }
        parser.finish();
        assertThat(reasoning).hasToString("A call.");
        Message call = parser.messages().get(1);
        assertThat(call.recipient()).isEqualTo("functions.get_weather");
        assertThat(Json.parse(call.text())).hasToString("{\"city\":\"Paris\"}");
        assertThat(parser.repairs().stream().map(Repair::kind)).containsExactly(Repair.Kind.MISSING_CHANNEL_MARKER);

        // The result goes back, on the channel of the call, and the model goes on.
        Message result = Message.toolResult("functions.get_weather", Message.COMMENTARY, "{\"sky\":\"clear\"}");
        Conversation next =
                Conversation.of(system, developer, question, parser.messages().get(0), call, result);
        assertThat(encoding.tokenizer().decode(encoding.renderForCompletion(next, Role.ASSISTANT)))
                .endsWith("<|start|>assistant<|channel|>analysis<|message|>A call.<|end|>"
                        + "<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>"
                        + "{\"city\":\"Paris\"}<|call|>"
                        + "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>"
                        + "{\"sky\":\"clear\"}<|end|><|start|>assistant");
    }
}
