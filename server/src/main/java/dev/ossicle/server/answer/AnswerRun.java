package dev.ossicle.server.answer;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Calling;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.chat.Limits;
import dev.ossicle.chat.ToolRunner;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Repair;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.store.KeptFiles.KeptFile;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.citation.Citations;
import dev.ossicle.tools.citation.CitedText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One answer on its way: the model's turn in the terms of {@link Piece}. One thread reads; any may cancel. */
public final class AnswerRun implements AutoCloseable, Answers.Open {
    /** Hears the pieces as they come. */
    public interface Listener {
        void piece(Piece piece) throws IOException;
    }

    /** Of tools that run here, as many as a conversation in this process may have. */
    private static final int MAX_ROUNDS = Limits.DEFAULT.rounds();

    private final Answers answers;
    private final ChatModel.Turn turn;
    private final Set<String> functions = new HashSet<>();
    /** Tools of our own, closed with this. */
    private final List<ToolSession> sessions;

    /** Of the built-in ones, those that were called. */
    private final Set<String> usedNamespaces = new HashSet<>();

    /** What a later answer may go on from. */
    private final Set<String> keys = new HashSet<>();

    /** What they are called by. */
    private final Set<String> recipients;

    private final ToolRunner runner;

    /** Of the files that tools leave. */
    private final String container = Ids.next("cntr_");

    private final StopFilter filter;
    private final boolean filters;

    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final List<Piece.Text> texts = new ArrayList<>();
    private final List<Piece.Call> calls = new ArrayList<>();
    private final List<Outcome.Ran> ran = new ArrayList<>();
    /** What clients do not send back: thoughts, calls of our own tools, and their results. */
    private final List<Message> unseen = new ArrayList<>();

    private final List<Token> heldTokens = new ArrayList<>();
    private final Citations citations;
    /** Of text that is held back, since it may become a citation. */
    private final List<Token> uncitedTokens = new ArrayList<>();

    /** Of the call whose arguments are coming. */
    private @Nullable String callId;

    private String callName = "";
    private int callMessage = -1;
    private final StringBuilder arguments = new StringBuilder();

    private boolean lastPreamble;
    private volatile boolean cancelled;
    private volatile boolean shutdown;
    private final long start = System.nanoTime();
    private long lastToken;

    /**
     * Begins an answer.
     *
     * @param stops texts that end what the model says
     * @throws RuntimeException whatever the model refuses the request with
     */
    public AnswerRun(Answers answers, ChatModel model, ChatRequest request, List<String> stops) {
        this(answers, model, request, stops, List.of());
    }

    /**
     * The same with tools that run here.
     *
     * @param sessions of the request's built-in namespaces, closed when this ends
     */
    public AnswerRun(
            Answers answers, ChatModel model, ChatRequest request, List<String> stops, List<ToolSession> sessions) {
        this.answers = answers;
        this.sessions = new ArrayList<>(sessions);
        this.citations = Citations.of(sessions);
        Map<String, ToolRunner.Callee> callees = ToolRunner.callees(List.of(), sessions);
        this.recipients = callees.keySet();
        this.runner = new ToolRunner(callees, Limits.DEFAULT);
        this.filter = new StopFilter(stops);
        this.filters = !stops.isEmpty();
        request.functions().stream().map(ToolDescription::name).forEach(functions::add);
        try {
            this.turn = model.begin(request);
        } catch (RuntimeException e) {
            sessions.forEach(ToolSession::close);
            throw e;
        }
        answers.add(this);
    }

    /** Names what a later answer goes on from, beside the calls. */
    public void goesOnFrom(String key) {
        keys.add(key);
    }

    /** Reads to the end. */
    public Outcome read(Listener listener) throws IOException, InterruptedException {
        boolean complete = false;
        try {
            ChatModel.StepEnd step = step(listener);
            Usage usage = step.usage();
            List<Repair> repairs = new ArrayList<>(step.repairs());
            for (int round = 0; round < MAX_ROUNDS && callsOurs(step) && goesOn(); round++) {
                List<Message> results = runTools(step.calls(), listener);
                turn.results(results);
                step = step(listener);
                usage = usage.plus(step.usage());
                repairs.addAll(step.repairs());
            }
            Outcome outcome = end(step.finish(), callsOurs(step), usage, repairs, listener);
            complete = true;
            if (outcome.end() == Outcome.End.STOP || outcome.end() == Outcome.End.CALLS) {
                shelve();
            }
            return outcome;
        } finally {
            if (!complete) {
                turn.cancel();
            }
            close();
        }
    }

    /** To where the model ends, or calls something. */
    private ChatModel.StepEnd step(Listener listener) throws IOException, InterruptedException {
        for (ChatEvent event = turn.next(); event != null && !filter.isStopped(); event = turn.next()) {
            if (!(event instanceof Reading)) {
                measure();
            }
            take(event, listener);
        }
        while (turn.next() != null) {} // after a stop text: to where the model ends
        endText(listener);
        ChatModel.StepEnd end = turn.end();
        for (Message message : end.messages()) {
            if (isUnseen(String.valueOf(message.recipient()))
                    || message.recipient() == null && Message.ANALYSIS.equals(message.channel())) {
                unseen.add(message);
            }
        }
        return end;
    }

    private boolean goesOn() {
        return !filter.isStopped() && !cancelled && !shutdown;
    }

    /** Whether the step ended in calls of tools that run here. */
    private boolean callsOurs(ChatModel.StepEnd step) {
        return step.finish() == Finish.STOP
                && !step.calls().isEmpty()
                && step.calls().stream().allMatch(call -> isOurs(String.valueOf(call.recipient())));
    }

    /** What runs here among the functions is told in items of its own, which clients send back. */
    private boolean isUnseen(String recipient) {
        return recipients.contains(recipient) && !recipient.startsWith(ToolNamespace.FUNCTIONS + ".");
    }

    /** Models leave the namespace of functions out at times. */
    private boolean isOurs(String recipient) {
        return recipients.contains(recipient) || recipients.contains(ToolNamespace.FUNCTIONS + "." + recipient);
    }

    /** One after the other, under the limits of a conversation in this process: whatever goes wrong is told to the model. */
    private List<Message> runTools(List<Message> asked, Listener listener) throws IOException, InterruptedException {
        List<Message> results = new ArrayList<>();
        for (Message call : asked) {
            String recipient = String.valueOf(call.recipient());
            Piece.ToolStart start = new Piece.ToolStart(recipient, call.text(), container);
            listener.piece(start);
            ToolOutput output = runner.run(List.of(new ToolRunner.Call(recipient, call.text())))
                    .getFirst();
            Piece.ToolEnd end = new Piece.ToolEnd(output, keep(recipient, output));
            listener.piece(end);
            ran.add(new Outcome.Ran(start, end));
            String channel = call.channel() == null ? Message.ANALYSIS : call.channel();
            Message result = Message.toolResult(recipient, channel, output.text());
            results.add(result);
            if (isUnseen(recipient)) {
                usedNamespaces.add(namespace(recipient));
                unseen.add(result);
            }
        }
        return results;
    }

    /** What a tool left behind goes with it, so it is taken now. */
    private List<KeptFile> keep(String recipient, ToolOutput output) throws InterruptedException {
        List<KeptFile> kept = new ArrayList<>();
        for (ToolFile file : output.files()) {
            try {
                KeptFile one = answers.files()
                        .put(
                                Ids.next("cfile_"),
                                container,
                                file.name(),
                                session(recipient).file(file.name()));
                if (one != null) {
                    kept.add(one);
                }
            } catch (IOException e) {
                System.getLogger("dev.ossicle.server")
                        .log(System.Logger.Level.WARNING, "a file of " + recipient + " is lost: " + e.getMessage());
            }
        }
        return kept;
    }

    private static String namespace(String recipient) {
        int dot = recipient.indexOf('.');
        return dot < 0 ? recipient : recipient.substring(0, dot);
    }

    private ToolSession session(String recipient) {
        return sessions.stream()
                .filter(session -> session.namespace().name().equals(namespace(recipient)))
                .findFirst()
                .orElseThrow();
    }

    private void measure() {
        long now = System.nanoTime();
        if (lastToken == 0) {
            answers.metrics().firstToken(now - start);
        } else {
            answers.metrics().nextToken(now - lastToken);
        }
        lastToken = now;
    }

    private void take(ChatEvent event, Listener listener) throws IOException {
        switch (event) {
            case ChatEvent.Reasoning thought -> {
                endText(listener);
                endCall(listener);
                reasoning.append(thought.text());
                listener.piece(new Piece.Reasoning(thought.text()));
            }
            case ChatEvent.Text said -> {
                endCall(listener);
                say(said.text(), said.preamble(), said.tokens(), listener);
            }
            case Calling calling -> {
                String function = functionName(calling.recipient());
                endText(listener);
                if (isOurs(calling.recipient())) {
                    endCall(listener); // it is told whole, when it runs
                } else if (function == null) {
                    // Nobody could run it, and it must not be lost.
                    endCall(listener);
                    say(calling.arguments(), false, List.of(), listener);
                } else {
                    call(calling, function, listener);
                }
            }
            case Reading ignored -> {}
            case ChatEvent.ToolCall ignored -> throw new AssertionError("a turn does not end calls");
            case ChatEvent.ToolResult ignored -> throw new AssertionError("a turn runs nothing");
            case ChatEvent.Done ignored -> throw new AssertionError("a turn has no end of its own");
        }
    }

    private void say(String more, boolean preamble, List<Token> tokens, Listener listener) throws IOException {
        if (!text.isEmpty() && lastPreamble && !preamble) {
            endText(listener);
            pass("\n\n", false, List.of(), listener);
        }
        lastPreamble = preamble;
        if (!filters || preamble) {
            pass(more, preamble, tokens, listener);
            return;
        }
        heldTokens.addAll(tokens);
        String now = filter.add(more);
        if (!now.isEmpty()) {
            pass(now, false, heldTokens, listener);
            heldTokens.clear();
        }
        if (filter.isStopped()) {
            turn.cancel();
        }
    }

    private void pass(String more, boolean preamble, List<Token> tokens, Listener listener) throws IOException {
        if (more.isEmpty()) {
            return;
        }
        uncitedTokens.addAll(tokens);
        cite(citations.next(more), preamble, listener);
    }

    private void cite(List<CitedText> cited, boolean preamble, Listener listener) throws IOException {
        for (CitedText more : cited) {
            text.append(more.text());
            Piece.Text piece = new Piece.Text(more.text(), preamble, List.copyOf(uncitedTokens), more.source());
            uncitedTokens.clear();
            texts.add(piece);
            listener.piece(piece);
        }
    }

    /** Nothing more of this text comes: what looked like the beginning of a citation was none. */
    private void endText(Listener listener) throws IOException {
        cite(citations.end(), lastPreamble, listener);
    }

    private @Nullable String functionName(String recipient) {
        String name = recipient.startsWith("functions.") ? recipient.substring("functions.".length()) : recipient;
        return functions.contains(name) ? name : null;
    }

    private void call(Calling calling, String function, Listener listener) throws IOException {
        String id = callId;
        if (id == null || callMessage != calling.message()) {
            endCall(listener);
            id = Ids.next("call_");
            callId = id;
            callName = function;
            callMessage = calling.message();
            listener.piece(new Piece.CallStart(id, function));
        }
        if (!calling.arguments().isEmpty()) {
            arguments.append(calling.arguments());
            listener.piece(new Piece.CallArguments(id, calling.arguments()));
        }
    }

    private void endCall(Listener listener) throws IOException {
        String id = callId;
        if (id != null) {
            Piece.Call call = new Piece.Call(id, callName, arguments.toString());
            calls.add(call);
            callId = null;
            arguments.setLength(0);
            listener.piece(new Piece.CallEnd(call));
        }
    }

    /** @param unfinished whether the model had more to do and may not */
    private Outcome end(Finish finish, boolean unfinished, Usage usage, List<Repair> repairs, Listener listener)
            throws IOException {
        if (filters) {
            pass(filter.rest(), false, heldTokens, listener);
        }
        endText(listener);
        if (finish == Finish.TIME && usage.completionTokens() == 0) {
            throw tooBusy(answers);
        }
        Outcome.End end = endOf(unfinished ? (goesOn() ? Finish.ROUNDS : Finish.CANCELLED) : finish);
        boolean callIsWhole = finish == Finish.STOP;
        if (callIsWhole || end == Outcome.End.LENGTH) {
            endCall(listener);
        }
        if (end == Outcome.End.STOP && !calls.isEmpty()) {
            end = Outcome.End.CALLS;
        }
        for (Piece.Call call : calls) {
            answers.turns().put(call.id(), unseen);
        }
        answers.metrics().answered(usage, repairs, end.name());
        return new Outcome(
                end,
                reasoning.toString(),
                text.toString(),
                List.copyOf(calls),
                List.copyOf(ran),
                usage,
                texts,
                filter.stopText());
    }

    static ApiException tooBusy(Answers answers) {
        return ApiException.unavailable(
                1, "timeout", "the server was too busy to begin an answer within " + answers.timeout());
    }

    private Outcome.End endOf(Finish finish) {
        return switch (finish) {
            case STOP -> Outcome.End.STOP;
            case LENGTH, CONTEXT, TIME, ROUNDS -> Outcome.End.LENGTH;
            case CANCELLED ->
                filter.isStopped()
                        ? Outcome.End.STOP
                        : shutdown ? Outcome.End.SHUTDOWN : cancelled ? Outcome.End.CANCELLED : Outcome.End.SHUTDOWN;
        };
    }

    /** Ends the answer soon: nobody waits for it. */
    public void cancel() {
        cancelled = true;
        stop();
    }

    @Override
    public void shutdown() {
        shutdown = true;
        stop();
    }

    private void stop() {
        turn.cancel();
        runner.cancel();
        synchronized (sessions) {
            sessions.forEach(ToolSession::close);
        }
    }

    /** Lets the tools that were used wait for an answer that goes on from this one. */
    private void shelve() {
        calls.forEach(call -> keys.add(call.id()));
        synchronized (sessions) {
            List<ToolSession> used = sessions.stream()
                    .filter(session ->
                            usedNamespaces.contains(session.namespace().name()))
                    .toList();
            if (!used.isEmpty() && !cancelled && !shutdown) {
                sessions.removeAll(used);
                answers.shelf().put(keys, used);
            }
        }
    }

    /** Lets go of an answer that was not read to its end. */
    @Override
    public void close() {
        cancel();
        answers.remove(this);
    }
}
