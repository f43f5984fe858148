package dev.ossicle.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TestChat {
    private static final ChatOptions OPTIONS =
            ChatOptions.DEFAULT.withSeed(1).withEffort(ReasoningEffort.LOW).withDate(LocalDate.of(2026, 11, 23));

    private final ScriptedModelRunner runner = Scripts.runner();
    private final ChatModel model = Scripts.model(runner);

    @AfterEach
    void closesCleanly() {
        model.close();
        assertThat(runner.openSequences()).isZero();
        assertThat(runner.isClosed()).isTrue();
    }

    private Chat chat() {
        return model.chat().options(OPTIONS);
    }

    @Test
    void streamsReasoningAndTextApart() {
        Scripts.answer(
                runner,
                "<|channel|>analysis<|message|>They greet.<|end|><|start|>assistant<|channel|>final<|message|>Hé!<|return|>");
        List<ChatEvent> events = new ArrayList<>();
        chat().instructions("Be brief.").ask("Hello").forEach(events::add);
        assertThat(joined(events, Reasoning.class)).isEqualTo("They greet.");
        assertThat(joined(events, Text.class)).isEqualTo("Hé!");
        Done done = (Done) events.getLast();
        assertThat(done.finish()).isEqualTo(Finish.STOP);
        assertThat(done.repairs()).isEmpty();
        assertThat(done.usage().completionTokens()).isEqualTo(7 + "analysisassistantfinal".length() + 11 + 4);
        assertThat(done.usage().reasoningTokens()).isEqualTo(12); // <|message|> counts, which opened it
        assertThat(Scripts.prompt(runner, 0))
                .startsWith("<|start|>system<|message|>You are ChatGPT")
                .contains("Current date: 2026-11-23\n\nReasoning: low")
                .endsWith("<|end|><|start|>developer<|message|># Instructions\n\nBe brief.<|end|>"
                        + "<|start|>user<|message|>Hello<|end|><|start|>assistant");
    }

    @Test
    void theNextTurnForgetsWhatWasThoughtAndComputesOnlyWhatIsNew() {
        Scripts.answer(
                runner,
                "<|channel|>analysis<|message|>Long thoughts.<|end|><|start|>assistant<|channel|>final<|message|>One.<|return|>");
        Scripts.finalAnswer(runner, "Two.");
        Chat chat = chat();
        assertThat(chat.ask("First").text()).isEqualTo("One.");
        Answer second = chat.ask("Second");
        assertThat(second.text()).isEqualTo("Two.");
        assertThat(Scripts.prompt(runner, 1))
                .doesNotContain("Long thoughts.")
                .endsWith("<|start|>user<|message|>First<|end|><|start|>assistant<|channel|>final<|message|>One.<|end|>"
                        + "<|start|>user<|message|>Second<|end|><|start|>assistant");
        assertThat(second.done().usage().cachedTokens())
                .isBetween(runner.prompts().get(0).length, runner.prompts().get(0).length + 1);
        assertThat(chat.history()).hasSize(5);
    }

    @Test
    void callsFunctionsAndGoesOnWithTheirResults() {
        Scripts.answer(
                runner,
                "<|channel|>analysis<|message|>I need it.<|end|><|start|>assistant<|channel|>commentary<|message|>Let me look."
                        + "<|end|><|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>"
                        + "{\"city\":\"Oslo\"}<|call|>");
        Scripts.finalAnswer(runner, "It rains.");
        Tool weather = Tool.of("weather", "The weather", """
                {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""", arguments -> "rain in " + arguments.get("city"));
        Answer answer = chat().tools(weather).ask("Weather?");
        List<ChatEvent> events = new ArrayList<>();
        answer.forEach(events::add);
        assertThat(events.stream().filter(e -> e instanceof ToolCall || e instanceof ToolResult))
                .hasSize(2)
                .anySatisfy(e -> assertThat(e).isInstanceOfSatisfying(ToolCall.class, call -> {
                    assertThat(call.name()).isEqualTo("weather");
                    assertThat(call.arguments()).isEqualTo("{\"city\":\"Oslo\"}");
                }))
                .anySatisfy(e -> assertThat(e).isInstanceOfSatisfying(ToolResult.class, result -> {
                    assertThat(result.output()).isEqualTo("rain in \"Oslo\"");
                    assertThat(result.failed()).isFalse();
                }));
        assertThat(events).contains(new Text("L", true));
        assertThat(joined(events, Text.class)).isEqualTo("Let me look.It rains.");
        assertThat(Scripts.prompt(runner, 0)).contains("type weather = (_: {\ncity: string,\n}) => any;");
        // What the model wrote is kept as it wrote it, thoughts included, and the result follows.
        assertThat(Scripts.prompt(runner, 1))
                .endsWith("I need it.<|end|><|start|>assistant<|channel|>commentary<|message|>Let me look.<|end|>"
                        + "<|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>"
                        + "{\"city\":\"Oslo\"}<|call|><|start|>functions.weather to=assistant<|channel|>commentary<|message|>"
                        + "rain in \"Oslo\"<|end|><|start|>assistant");
        Done done = (Done) events.getLast();
        assertThat(done.usage().cachedTokens()).isPositive();
    }

    @Test
    void twentyRoundsOfAllThatCanGoWrongEndAsResultsThatTheModelCanRead() {
        CountDownLatch never = new CountDownLatch(1);
        List<Tool> tools = List.of(
                Tool.of("ok", "", null, arguments -> "fine " + arguments),
                Tool.of("throws", "", null, arguments -> {
                    throw new IllegalStateException("no fuel");
                }),
                Tool.of("hangs", "", null, arguments -> {
                    never.await();
                    return "late";
                }),
                Tool.of("huge", "", null, arguments -> "x".repeat(5_000_000)));
        Limits limits = Limits.DEFAULT.withToolTime(Duration.ofMillis(500)).withToolOutput(1000);
        List<String> expected = new ArrayList<>();
        for (int round = 0; round < 4; round++) {
            Scripts.call(runner, "ok", "{\"a\":" + round + "}");
            expected.add("fine {\"a\":" + round + "}");
            Scripts.call(runner, "huge", "{\"b\":[]}");
            expected.add("xxx");
            Scripts.call(runner, "throws", "{}");
            expected.add("error: throws failed: no fuel");
            Scripts.call(runner, "hangs", "{}");
            expected.add("error: hangs did not answer within 500 ms");
            Scripts.call(runner, "ok", "{\"deep\":{\"er\":[null,true,1.5e3,\"x\"]}}");
            expected.add("fine {\"deep\":{\"er\":[null,true,1.5e3,\"x\"]}}");
        }
        Scripts.call(runner, "huge", "{}");
        Scripts.finalAnswer(runner, "Done.");
        List<ChatEvent> events = new ArrayList<>();
        chat().tools(tools).limits(limits).ask("Go").forEach(events::add);
        List<String> outputs = events.stream()
                .filter(ToolResult.class::isInstance)
                .map(e -> ((ToolResult) e).output())
                .toList();
        assertThat(outputs).hasSize(21);
        for (int i = 0; i < 20; i++) {
            assertThat(outputs.get(i)).startsWith(expected.get(i));
        }
        assertThat(outputs.get(20))
                .hasSizeLessThan(1100)
                .endsWith("[cut: 5000000 characters, of which these are the first 1000]");
        assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.STOP);
        Set<String> ids = events.stream()
                .filter(ToolCall.class::isInstance)
                .map(e -> ((ToolCall) e).id())
                .collect(Collectors.toSet());
        assertThat(ids).hasSize(21);
        assertThat(toolThreads()).isEmpty();
    }

    private static ToolRunner runner(Tool tool) {
        return new ToolRunner(ToolRunner.callees(List.of(tool), List.of()), Limits.DEFAULT);
    }

    /** A tool with a state, as the real ones are: it counts its calls. */
    private static final class Counter implements ToolSession {
        private int calls;

        @Override
        public ToolNamespace namespace() {
            return ToolNamespace.python();
        }

        @Override
        public ToolOutput call(String function, String body) {
            calls++;
            return body.equals("fail") ? ToolOutput.failure("it failed") : ToolOutput.of("call " + calls + ": " + body);
        }

        @Override
        public void close() {}
    }

    @Test
    void builtInToolsAreCalledWithWhatTheModelWrote() {
        ScriptedModelRunner runner = Scripts.runner();
        Scripts.answer(runner, " to=python<|channel|>analysis code<|message|>print(1)\n<|call|>");
        Scripts.answer(runner, "<|channel|>analysis to=python code<|message|>fail<|call|>");
        Scripts.finalAnswer(runner, "Done.");
        try (ChatModel model = Scripts.model(runner)) {
            List<ChatEvent> events = new ArrayList<>();
            model.chat().sessions(new Counter()).ask("Count.").forEach(events::add);
            assertThat(events)
                    .contains(
                            new ToolCall(((ToolCall) first(events, ToolCall.class)).id(), "python", "print(1)\n"),
                            new Text("D", false));
            assertThat(events.stream()
                            .filter(ToolResult.class::isInstance)
                            .map(e -> ((ToolResult) e).output() + " " + ((ToolResult) e).failed()))
                    .containsExactly("call 1: print(1)\n false", "it failed true");
        }
        assertThat(Scripts.prompt(runner, 0)).contains("## python");
        assertThat(Scripts.prompt(runner, 2))
                .contains("<|start|>python to=assistant<|channel|>analysis<|message|>call 1: print(1)\n<|end|>");
    }

    private static ChatEvent first(List<ChatEvent> events, Class<?> kind) {
        return events.stream().filter(kind::isInstance).findFirst().orElseThrow();
    }

    @Test
    void argumentsThatAreNoObjectAreToldToTheModel() throws InterruptedException {
        // A grammar keeps a local model from this; a host may send anything.
        ToolRunner tools = runner(Tool.of("f", "", null, arguments -> "ran with " + arguments));
        List<String> outputs = tools
                .run(List.of(
                        new ToolRunner.Call("f", "{broken"),
                        new ToolRunner.Call("f", "[1]"),
                        new ToolRunner.Call("f", " "),
                        new ToolRunner.Call("g", "{}")))
                .stream()
                .map(ToolOutput::text)
                .toList();
        assertThat(outputs.getFirst()).startsWith("error: the arguments of f are not JSON: ");
        assertThat(outputs.subList(1, 4))
                .containsExactly(
                        "error: the arguments of f are an array, expected a JSON object",
                        "ran with {}",
                        "error: there is no function g; there are: f");
        assertThat(new ToolRunner(Map.of(), Limits.DEFAULT)
                        .run(List.of(new ToolRunner.Call("g", "{}")))
                        .getFirst()
                        .failed())
                .isTrue();
    }

    @Test
    void callsOfOneStepRunSideBySide() throws InterruptedException {
        CountDownLatch both = new CountDownLatch(2);
        Tool.Handler meet = arguments -> {
            both.countDown();
            both.await();
            return "met " + arguments;
        };
        ToolRunner tools = runner(Tool.of("f", "", null, meet));
        assertThat(
                        tools
                                .run(List.of(
                                        new ToolRunner.Call("f", "{\"a\":1}"), new ToolRunner.Call("f", "{\"a\":2}")))
                                .stream()
                                .map(ToolOutput::text))
                .containsExactly("met {\"a\":1}", "met {\"a\":2}");
    }

    @Test
    void argumentsObeyTheirSchemaWhateverTheModelWouldWrite() {
        Scripts.call(runner, "f", "{\"city\":7,\"more\":1}");
        Scripts.finalAnswer(runner, "Done.");
        Tool f = Tool.of("f", "", """
                {"type":"object","properties":{"city":{"enum":["Oslo","Rome"]}},"required":["city"],
                 "additionalProperties":false}""", arguments -> "" + arguments.get("city"));
        List<String> outputs = new ArrayList<>();
        for (ChatEvent event : chat().tools(f).ask("Go")) {
            if (event instanceof ToolResult result) {
                outputs.add(result.output());
            }
        }
        assertThat(outputs).isNotEmpty().allMatch(o -> o.equals("\"Oslo\"") || o.equals("\"Rome\""));
    }

    @Test
    void anAnswerObeysItsSchemaWithinItsTokensWhateverTheModelWouldWrite() {
        Json schema = Json.parse("""
                {"type":"object","properties":{"text":{"type":"string"},"n":{"type":"integer"}},
                 "required":["text","n"],"additionalProperties":false}""");
        for (int seed = 0; seed < 20; seed++) {
            // Nothing scripted: a model without opinions, that would go on for ever.
            Answer answer = model.chat()
                    .options(OPTIONS.withSeed(seed))
                    .limits(Limits.DEFAULT.withTokens(200))
                    .ask("Go", schema);
            String text = answer.text();
            assertThat(Json.parse(text)).as("seed %d: %s", seed, text).isInstanceOf(JsonObject.class);
            assertThat(answer.done().finish()).isEqualTo(Finish.STOP);
        }
        assertThatThrownBy(() -> chat().limits(Limits.DEFAULT.withTokens(5)).ask("Go", schema))
                .isInstanceOf(ChatException.class)
                .hasMessageContaining("only 5 are left");
    }

    @Test
    void aFunctionThatDoesNotExistCannotBeCalled() {
        // The mask makes the model write another name: only those of this request are possible.
        Scripts.call(runner, "unknown", "{}");
        Scripts.finalAnswer(runner, "Done.");
        AtomicInteger called = new AtomicInteger();
        Answer answer = chat().tools(Tool.of("known", "", null, arguments -> "" + called.incrementAndGet()))
                .limits(Limits.DEFAULT.withTokens(2000))
                .ask("Go");
        for (ChatEvent event : answer) {
            if (event instanceof ToolCall call) {
                assertThat(call.name()).isEqualTo("known");
            }
        }
    }

    @Test
    void limitsOfRoundsAndTokensEndAnAnswer() {
        for (int i = 0; i < 10; i++) {
            Scripts.call(runner, "f", "{}");
        }
        Tool f = Tool.of("f", "", null, arguments -> "again");
        Chat chat = chat().tools(f).limits(Limits.DEFAULT.withRounds(3));
        List<ChatEvent> events = new ArrayList<>();
        chat.ask("Go").forEach(events::add);
        assertThat(events.stream().filter(ToolCall.class::isInstance)).hasSize(3);
        assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.ROUNDS);

        Done cut = chat().limits(Limits.DEFAULT.withTokens(5)).ask("Go").done();
        assertThat(cut.finish()).isEqualTo(Finish.LENGTH);
        assertThat(cut.usage().completionTokens()).isEqualTo(5);
    }

    @Test
    void theTimeEndsAModelAndAFunction() {
        CountDownLatch never = new CountDownLatch(1);
        Scripts.call(runner, "hangs", "{}");
        Chat chat = chat().tools(Tool.of("hangs", "", null, arguments -> {
                    never.await();
                    return "late";
                }))
                .limits(Limits.DEFAULT.withTime(Duration.ofMillis(300)));
        assertThat(chat.ask("Go").done().finish()).isEqualTo(Finish.TIME);
        // A model that goes on for ever: nothing scripted, so it draws evenly until it happens to end.
        runner.beforeForward(() -> Thread.onSpinWait());
        assertThat(chat().limits(Limits.DEFAULT.withTime(Duration.ofNanos(1)))
                        .ask("Go")
                        .done()
                        .finish())
                .isIn(Finish.TIME, Finish.STOP);
        assertThat(toolThreads()).isEmpty();
    }

    @Test
    void cancellingAtAnyPointLeavesNothingBehind() throws InterruptedException {
        for (int events = 0; events < 12; events++) {
            ScriptedModelRunner own = Scripts.runner();
            Scripts.answer(
                    own,
                    "<|channel|>analysis<|message|>abc<|end|><|start|>assistant<|channel|>commentary"
                            + " to=functions.f <|constrain|>json<|message|>{}<|call|>");
            Scripts.finalAnswer(own, "xyz");
            try (ChatModel script = Scripts.model(own)) {
                Chat chat = script.chat().options(OPTIONS).tools(Tool.of("f", "", null, arguments -> "r"));
                Answer answer = chat.ask("Go");
                for (int i = 0; i < events; i++) {
                    answer.next();
                }
                answer.cancel();
                Done done = answer.done();
                assertThat(done.finish()).isIn(Finish.CANCELLED, Finish.STOP);
                Scripts.finalAnswer(own, "still here");
                while (own.prompts().size() < 2) {
                    chat.ask("Again").text(); // what was left of the script
                }
            }
            assertThat(own.openSequences()).as("after %d events", events).isZero();
        }
        assertThat(toolThreads()).isEmpty();
    }

    @Test
    void cancellingWakesAFunctionThatHangs() throws InterruptedException {
        Scripts.call(runner, "hangs", "{}");
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Answer answer = chat().tools(Tool.of("hangs", "", null, arguments -> {
                    inside.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupted.countDown();
                        throw e;
                    }
                    return "late";
                }))
                .ask("Go");
        Thread.ofVirtual().start(() -> {
            try {
                inside.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            answer.cancel();
        });
        assertThat(answer.done().finish()).isEqualTo(Finish.CANCELLED);
        interrupted.await();
    }

    @Test
    void aFailingModelIsAnExceptionAndTheChatGoesOn() {
        runner.beforeForward(() -> {
            throw new IllegalStateException("out of luck");
        });
        Chat chat = chat();
        Answer answer = chat.ask("Hello");
        assertThatThrownBy(answer::text).isInstanceOf(ChatException.class).hasMessage("out of luck");
        runner.beforeForward(() -> {});
        Scripts.finalAnswer(runner, "Back.");
        assertThat(chat.ask("Hello?").text()).isEqualTo("Back.");
    }

    @Test
    void forksGoTheirOwnWayAndShareTheirPast() {
        Scripts.finalAnswer(runner, "Base.");
        Chat chat = chat();
        chat.ask("Start").text();
        Chat fork = chat.fork();
        Scripts.finalAnswer(runner, "Left.");
        Scripts.finalAnswer(runner, "Right.");
        assertThat(chat.ask("Left?").text()).isEqualTo("Left.");
        int computed = runner.computedTokens();
        Answer right = fork.ask("Right?");
        assertThat(right.text()).isEqualTo("Right.");
        // Up to the end of the first prompt nothing is computed again.
        assertThat(right.done().usage().cachedTokens())
                .isGreaterThanOrEqualTo(runner.prompts().get(0).length);
        assertThat(runner.computedTokens() - computed)
                .isLessThan(runner.prompts().get(2).length - runner.prompts().get(0).length + 40);
        assertThat(fork.history().stream().map(Message::text)).containsExactly("Start", "Base.", "Right?", "Right.");
        assertThat(chat.history().stream().map(Message::text)).containsExactly("Start", "Base.", "Left?", "Left.");
    }

    @Test
    void rewindTakesTheLastQuestionBack() {
        Scripts.finalAnswer(runner, "One.");
        Scripts.finalAnswer(runner, "Two.");
        Chat chat = chat();
        chat.ask("First").text();
        chat.ask("Second").text();
        assertThat(chat.rewind()).isEqualTo("Second");
        assertThat(chat.history().stream().map(Message::text)).containsExactly("First", "One.");
        assertThat(chat.rewind()).isEqualTo("First");
        assertThat(chat.rewind()).isNull();
        assertThat(chat.history()).isEmpty();
    }

    @Test
    void goesOnFromAnotherPast() {
        Scripts.finalAnswer(runner, "One.");
        Scripts.finalAnswer(runner, "Two.");
        Chat first = chat();
        first.ask("First").text();
        Chat second = chat().history(first.history());
        Answer answer = second.ask("Second");
        assertThat(answer.text()).isEqualTo("Two.");
        assertThat(Scripts.prompt(runner, 1)).contains("First", "One.", "Second");
        assertThat(first.history()).hasSize(2);
        assertThat(second.history()).hasSize(4);
        assertThat(answer.contextTokens())
                .isEqualTo(answer.done().usage().promptTokens()
                        + answer.done().usage().completionTokens());
    }

    @Test
    void theContextIsWhatTheLastStepFilled() {
        Scripts.call(runner, "ok", "{}");
        Scripts.finalAnswer(runner, "Two.");
        Answer answer =
                chat().tools(Tool.of("ok", "", null, arguments -> "fine")).ask("Go");
        answer.text();
        assertThat(answer.contextTokens())
                .isEqualTo(runner.prompts().get(1).length + 3 + "finalTwo.".length())
                .isLessThan(answer.done().usage().promptTokens());
    }

    @Test
    void oneAnswerAtATime() {
        Scripts.finalAnswer(runner, "One.");
        Chat chat = chat();
        try (Answer answer = chat.ask("First")) {
            assertThatThrownBy(() -> chat.ask("Second")).hasMessageContaining("still coming");
            assertThat(answer.text()).isEqualTo("One.");
        }
    }

    private static String joined(List<ChatEvent> events, Class<? extends ChatEvent> kind) {
        return events.stream()
                .filter(kind::isInstance)
                .map(e -> switch (e) {
                    case Reasoning reasoning -> reasoning.text();
                    case Text text -> text.text();
                    default -> "";
                })
                .collect(Collectors.joining());
    }

    private static List<Thread> toolThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().startsWith("ossicle-tool"))
                .toList();
    }
}
