package dev.ossicle.engine;

import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Timings;
import dev.ossicle.engine.GenerationEvent.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides what the model computes next. Each step is one forward pass over one token of every generation that decodes and over
 * pieces of the prompts of those that do not yet: a long prompt holds nobody up for longer than one piece. There is no kernel
 * and no thread in here; the model's thread calls {@link #step}.
 *
 * <p>A row's result does not depend on what else is in the batch, so what a generation draws does not either.
 */
final class Scheduler implements AutoCloseable {
    /** Prompt tokens of a step in which somebody decodes, and has to wait for them: this part of the runner's usual number. */
    private static final int SHARE_BESIDE_DECODING = 4;

    /** A generation that waits gains one point of priority in so much time, so that it is not passed over for ever. */
    private static final long AGEING_NANOS = 1_000_000_000L;

    private final ModelRunner runner;
    private final EngineOptions options;
    /** Bytes of keys and values. */
    private final long budget;

    private final PrefixCache cache;
    private final Sampler sampler;
    private final BitMask allowed;
    private final LongSupplier clock;
    /** In the order they came. */
    private final List<Generation> waiting = new ArrayList<>();

    private final List<RunningGeneration> running = new ArrayList<>();
    /** Admitted, but set aside until there is memory for them again; the first is the next. */
    private final List<RunningGeneration> aside = new ArrayList<>();

    /** What the step at hand computes; [i] of the one belongs to [i] of the other. */
    private final List<RunningGeneration> members = new ArrayList<>();

    private final List<Chunk> batch = new ArrayList<>();
    /** Whose prompt comes first in the next step. */
    private int turn;

    private long passes;
    private long sequences;
    private long passTokens;

    /** @param clock nanoseconds */
    Scheduler(ModelRunner runner, EngineOptions options, LongSupplier clock) {
        this.runner = runner;
        this.options = options;
        this.budget = Math.min(options.cacheBytes(), runner.cacheCapacity());
        this.clock = clock;
        this.cache = new PrefixCache(runner);
        this.sampler = new Sampler(runner.config().vocabulary());
        this.allowed = new BitMask(runner.config().vocabulary());
    }

    PrefixCache cache() {
        return cache;
    }

    void add(Generation generation) {
        waiting.add(generation);
    }

    boolean isIdle() {
        return waiting.isEmpty() && running.isEmpty() && aside.isEmpty();
    }

    int running() {
        return running.size();
    }

    EngineStatus status() {
        return new EngineStatus(
                waiting.size() + aside.size(), running.size(), runner.cacheBytes(), passes, sequences, passTokens);
    }

    /** One forward pass, if there is anything to compute. */
    void step() {
        drop();
        makeRoom();
        admit();
        compose();
        if (!batch.isEmpty()) {
            compute();
        }
    }

    /** Lets go of what nobody waits for any more, or not so long. */
    private void drop() {
        long now = clock.getAsLong();
        for (RunningGeneration each : List.copyOf(running)) {
            Finish finish = gone(each.generation, now);
            if (finish != null) {
                end(each, finish);
            }
        }
        aside.removeIf(each -> {
            Finish finish = gone(each.generation, now);
            if (finish != null) {
                each.generation.emit(new Done(finish, each.timings(now)));
            }
            return finish != null;
        });
        for (Iterator<Generation> all = waiting.iterator(); all.hasNext(); ) {
            Generation each = all.next();
            Finish finish = gone(each, now);
            if (finish != null) {
                all.remove();
                each.emit(new Done(finish, new Timings(0, 0, 0, 0, 0)));
            }
        }
    }

    private static @Nullable Finish gone(Generation generation, long now) {
        if (generation.isCancelled()) {
            return Finish.CANCELLED;
        }
        return generation.isLate(now) ? Finish.DEADLINE : null;
    }

    /**
     * Keeps keys and values within their budget: forgets prefixes, then sets aside who came last, to be computed anew. A step
     * may pass it by what one step adds.
     */
    private void makeRoom() {
        while (isOverBudget() && cache.forgetOldest()) {}
        while (isOverBudget() && running.size() > 1) {
            RunningGeneration last = running.removeLast();
            last.setAside();
            aside.addFirst(last);
        }
    }

    private boolean isOverBudget() {
        return runner.cacheBytes() > budget;
    }

    /** Whether one more may begin, that will soon take so much memory. */
    private boolean hasRoom(long bytes) {
        return running.size() < options.maxRunning() && (running.isEmpty() || runner.cacheBytes() + bytes < budget);
    }

    private void admit() {
        long now = clock.getAsLong();
        while (!aside.isEmpty() && hasRoom(aside.getFirst().bytesAside)) {
            RunningGeneration next = aside.removeFirst();
            next.resume(cache.begin(next.text()));
            running.add(next);
        }
        while (aside.isEmpty() && !waiting.isEmpty() && hasRoom(0)) {
            Generation next = waiting.getFirst();
            for (Generation each : waiting) { // of equals, the first
                if (urgency(each, now) > urgency(next, now)) {
                    next = each;
                }
            }
            waiting.remove(next);
            try {
                running.add(
                        new RunningGeneration(next, cache.begin(next.request().prompt()), now));
            } catch (RuntimeException | Error e) {
                next.fail(e);
            }
        }
    }

    private static long urgency(Generation generation, long now) {
        return generation.request().priority() + (now - generation.arrival()) / AGEING_NANOS;
    }

    private void compose() {
        members.clear();
        batch.clear();
        int prompts = 0;
        for (RunningGeneration each : running) {
            if (each.alone) {
                members.clear();
                batch.clear();
                take(each, runner.prefillTokens());
                return;
            }
            if (each.isDecoding()) {
                take(each, 1);
            } else {
                prompts++;
            }
        }
        int left =
                batch.isEmpty() ? runner.prefillTokens() : Math.max(1, runner.prefillTokens() / SHARE_BESIDE_DECODING);
        turn = running.isEmpty() ? 0 : (turn + 1) % running.size();
        for (int i = 0; i < running.size() && left > 0; i++) {
            RunningGeneration each = running.get((turn + i) % running.size());
            if (!each.isDecoding()) {
                left -= take(each, Math.max(1, left / prompts--)); // what one does not need is for the next ones
            }
        }
    }

    private int take(RunningGeneration member, int most) {
        int count = Math.min(most, member.known - member.computed);
        int end = member.computed + count;
        int[] tokens = Arrays.copyOfRange(member.tokens, member.computed, end);
        batch.add(new Chunk(member.sequence, tokens, end == member.known ? 1 : 0));
        members.add(member);
        return count;
    }

    private void compute() {
        try {
            runner.forward(batch, (chunk, position, logits) -> draw(members.get(chunk), logits));
        } catch (RuntimeException | Error e) {
            failed(e);
            return;
        }
        passes++;
        sequences += members.size();
        for (int i = 0; i < members.size(); i++) {
            RunningGeneration member = members.get(i);
            passTokens += batch.get(i).tokens().length;
            member.advance(batch.get(i).tokens().length, clock.getAsLong(), cache);
            if (member.failure != null) {
                running.remove(member);
                member.sequence.close();
                member.generation.fail(member.failure);
            } else if (member.drawn != null) {
                Finish finish = member.accept(runner.config().maxContext());
                if (finish != null) {
                    end(member, finish);
                }
            }
        }
    }

    /** Draws the next token: on the device, if all that is wanted of the logits is that. */
    private void draw(RunningGeneration member, Logits logits) {
        attempt(member, () -> {
            GenerationRequest request = member.generation.request();
            BitMask mask = allowed(request.mask());
            if (request.topLogprobs() < 0 && request.adjustments().isNone()) {
                logits.sample(
                        sampler,
                        request.sampling(),
                        member.count,
                        mask,
                        token -> attempt(member, () -> accept(member, new Token(token, List.of()))));
                return;
            }
            float[] values = logits.values();
            int token = sampler.sample(member.adjusted(values), request.sampling(), member.count, mask);
            accept(
                    member,
                    new Token(
                            token,
                            request.topLogprobs() < 0
                                    ? List.of()
                                    : sampler.logprobs(values, token, request.topLogprobs())));
        });
    }

    private @Nullable BitMask allowed(@Nullable TokenMask mask) {
        if (mask == null) {
            return null;
        }
        allowed.clearAll();
        mask.allowed(allowed);
        return allowed;
    }

    private static void accept(RunningGeneration member, Token token) {
        TokenMask mask = member.generation.request().mask();
        if (mask != null) {
            mask.accept(token.id());
        }
        member.drawn = token;
    }

    /** What goes wrong in drawing, in a mask for instance, is this generation's affair alone. */
    private static void attempt(RunningGeneration member, Runnable part) {
        try {
            part.run();
        } catch (RuntimeException | Error e) {
            member.failure = e;
        }
    }

    /**
     * The pass failed, and no sequence of it is of use any more. One that was alone is to blame; several begin again, each by
     * itself, until it is known which of them it was.
     */
    private void failed(Throwable cause) {
        for (RunningGeneration member : List.copyOf(members)) {
            member.sequence.close();
            Throwable blame = members.size() == 1 ? cause : member.failure;
            if (blame != null) {
                running.remove(member);
                member.generation.fail(blame);
                continue;
            }
            // What was drawn before the pass failed stays drawn: its mask has been told.
            Finish finish =
                    member.drawn == null ? null : member.accept(runner.config().maxContext());
            if (finish != null) {
                running.remove(member);
                member.generation.emit(new Done(finish, member.timings(clock.getAsLong())));
            } else {
                member.beginAgain(runner.newSequence(runner.config().maxContext()));
            }
        }
    }

    /** Keeps what was computed for those who will begin as this one did. */
    private void end(RunningGeneration member, Finish finish) {
        running.remove(member);
        cache.keep(Arrays.copyOf(member.tokens, member.computed), member.sequence);
        member.generation.emit(new Done(finish, member.timings(clock.getAsLong())));
    }

    /** Ends everything that was added, because of an error in here. */
    void failAll(Throwable cause) {
        for (RunningGeneration each : running) {
            each.sequence.close();
            each.generation.fail(cause);
        }
        running.clear();
        aside.forEach(each -> each.generation.fail(cause));
        aside.clear();
        waiting.forEach(each -> each.fail(cause));
        waiting.clear();
    }

    /** Cancels what is there. */
    @Override
    public void close() {
        for (RunningGeneration each : running) {
            each.sequence.close();
            each.generation.emit(new Done(Finish.CANCELLED, each.timings(clock.getAsLong())));
        }
        running.clear();
        aside.forEach(each -> each.generation.emit(new Done(Finish.CANCELLED, each.timings(clock.getAsLong()))));
        aside.clear();
        waiting.forEach(each -> each.emit(new Done(Finish.CANCELLED, new Timings(0, 0, 0, 0, 0))));
        waiting.clear();
        cache.close();
    }
}
