package dev.ossicle.chat;

import dev.ossicle.chat.ChatEvent.Calling;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.GenerationException;
import dev.ossicle.grammar.HarmonyFraming;
import dev.ossicle.harmony.Conversation;
import dev.ossicle.harmony.HarmonyParser;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.ParserState;
import dev.ossicle.harmony.Role;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The assistant's turn on a local engine. Between its steps the tokens are kept as the model wrote them and results are
 * appended, so that nothing has to be computed twice.
 */
final class LocalTurn implements ChatModel.Turn {
    private final LocalModel model;
    private ChatRequest request;
    private @Nullable HarmonyFraming framing;

    /** All tokens of the turn so far: the prompt, what the model wrote, results. */
    private int[] context;

    private int tokensLeft;
    private HarmonyParser parser;
    private volatile Generation generation;
    private volatile boolean cancelled;

    /** Messages of the parser that were handed on whole, and how much was of the one after them. */
    private int completed;

    private int streamed;
    private int reasoningTokens;
    /** Tokens that belong to the text that is handed on next: a character may take several. */
    private final List<Token> textTokens = new ArrayList<>();

    private final Deque<ChatEvent> pending = new ArrayDeque<>();
    private @Nullable Done done;

    /** @param prompt ends in {@code <|start|>assistant} */
    LocalTurn(LocalModel model, ChatRequest request, int[] prompt) {
        this.model = model;
        this.request = request;
        this.framing = model.framing(request);
        this.context = prompt;
        this.tokensLeft = request.maxTokens();
        this.parser = newParser();
        this.generation = model.engine().start(model.generation(request, framing, context, tokensLeft));
    }

    private HarmonyParser newParser() {
        // Whatever the model writes, nothing of it is lost.
        return model.harmony().parser(Role.ASSISTANT, ParseMode.TOTAL);
    }

    @Override
    public @Nullable ChatEvent next() throws InterruptedException {
        while (pending.isEmpty() && done == null) {
            switch (nextEvent()) {
                case Prefilled prefilled -> pending.add(new Reading(prefilled.tokens(), prefilled.promptTokens()));
                case Token token -> {
                    parser.process(token.id());
                    if (!token.logprobs().isEmpty() && parser.state() == ParserState.CONTENT && !isControl(token)) {
                        textTokens.add(token);
                    }
                    handOn();
                    if (Message.ANALYSIS.equals(parser.channel())) {
                        reasoningTokens++;
                    }
                }
                case Done end -> {
                    parser.finish();
                    handOn();
                    done = end;
                }
            }
        }
        return pending.poll();
    }

    private boolean isControl(Token token) {
        return model.harmony().tokenizer().isSpecial(token.id());
    }

    private GenerationEvent nextEvent() throws InterruptedException {
        try {
            GenerationEvent event = generation.next();
            if (event == null) {
                throw new IllegalStateException("the generation ended without saying so");
            }
            return event;
        } catch (GenerationException e) {
            throw new ChatException(String.valueOf(e.getMessage()), e);
        }
    }

    private void handOn() {
        String delta = parser.delta();
        while (completed < parser.messages().size()) {
            Message message = parser.messages().get(completed);
            add(message.channel(), message.recipient(), message.text().substring(streamed));
            completed++;
            streamed = 0;
            delta = null; // it was the end of that message
        }
        if (delta != null) {
            add(parser.channel(), parser.recipient(), delta);
            streamed += delta.length();
        }
    }

    private void add(@Nullable String channel, @Nullable String recipient, String text) {
        if (recipient != null) {
            pending.add(new Calling(completed, recipient, text));
            textTokens.clear();
            return;
        }
        if (text.isEmpty()) {
            return;
        }
        // A message that names no channel is meant for the user, as far as anyone can tell.
        pending.add(
                Message.ANALYSIS.equals(channel)
                        ? new Reasoning(text)
                        : new Text(text, Message.COMMENTARY.equals(channel), textTokens));
        textTokens.clear();
    }

    @Override
    public ChatModel.StepEnd end() {
        Done ended = done;
        if (ended == null) {
            throw new IllegalStateException("the step is still going on");
        }
        List<Message> messages = parser.messages();
        var timings = ended.timings();
        Usage usage = new Usage(
                timings.promptTokens(),
                timings.cachedTokens(),
                timings.tokens(),
                reasoningTokens,
                timings.promptNanos() * 1e-9,
                timings.decodeNanos() * 1e-9);
        Finish finish = switch (ended.finish()) {
            case STOP -> Finish.STOP;
            case LENGTH -> Finish.LENGTH;
            case CONTEXT -> Finish.CONTEXT;
            case DEADLINE -> Finish.TIME;
            case CANCELLED -> Finish.CANCELLED;
        };
        return new ChatModel.StepEnd(
                List.copyOf(messages),
                messages.stream().filter(m -> m.recipient() != null).toList(),
                finish,
                usage,
                List.copyOf(parser.repairs()));
    }

    @Override
    public void results(List<Message> results) {
        tokensLeft -= parser.tokens().length;
        if (request.toolChoice().required()) {
            request = request.withToolChoice(
                    new ToolChoice(false, request.toolChoice().allowed())); // it has called
            framing = model.framing(request);
        }
        IntStream all = IntStream.concat(Arrays.stream(context), Arrays.stream(parser.tokens()));
        for (Message result : results) {
            all = IntStream.concat(all, Arrays.stream(model.harmony().render(result, false)));
        }
        int[] start = model.harmony().renderForCompletion(Conversation.of(), Role.ASSISTANT); // <|start|>assistant
        context = IntStream.concat(all, Arrays.stream(start)).toArray();
        parser = newParser();
        completed = 0;
        streamed = 0;
        reasoningTokens = 0;
        done = null;
        Generation next = model.engine().start(model.generation(request, framing, context, Math.max(1, tokensLeft)));
        generation = next;
        if (cancelled) {
            next.cancel();
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        generation.cancel();
    }
}
