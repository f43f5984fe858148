package dev.ossicle.engine;

import dev.ossicle.engine.PromptCacheFile.Entry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Sequences of earlier generations, for prompts that begin as they do. Used by the model's thread only.
 *
 * <p>Forks share memory, so keeping a sequence at a place where others may part from it costs little.
 */
final class PrefixCache implements AutoCloseable {
    private static final int MAX_ENTRIES = 64;

    private final ModelRunner runner;

    /** Least recently used first. */
    private final List<Entry> entries = new ArrayList<>();

    PrefixCache(ModelRunner runner) {
        this.runner = runner;
    }

    /**
     * A sequence that holds as much of the prompt as is cached, but not its last token, whose logits are wanted. The caller
     * closes or {@link #keep}s it.
     */
    KvSequence begin(int[] prompt) {
        Entry best = null;
        int bestLength = 0;
        for (Entry entry : entries) {
            int length = usable(entry, prompt);
            if (length > bestLength) {
                best = entry;
                bestLength = length;
            }
        }
        if (best == null) {
            return runner.newSequence(runner.config().maxContext());
        }
        entries.remove(best);
        entries.add(best);
        KvSequence fork = best.sequence().fork();
        fork.truncate(bestLength);
        return fork;
    }

    private static int usable(Entry entry, int[] prompt) {
        int common = Arrays.mismatch(entry.tokens(), prompt);
        int length = Math.min(common < 0 ? prompt.length : common, prompt.length - 1);
        return length >= entry.sequence().truncatableTo() ? length : 0;
    }

    /** Takes a sequence over, which holds exactly these tokens. */
    void keep(int[] tokens, KvSequence sequence) {
        assert tokens.length == sequence.length() : tokens.length + " tokens for " + sequence.length() + " positions";
        entries.add(new Entry(tokens, sequence));
        if (entries.size() > MAX_ENTRIES) {
            forgetOldest();
        }
    }

    /** Gives up what was not used for longest; says whether there was anything. */
    boolean forgetOldest() {
        if (entries.isEmpty()) {
            return false;
        }
        entries.removeFirst().sequence().close();
        return true;
    }

    /** What is kept, least recently used first; still owned by this. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }

    @Override
    public void close() {
        entries.forEach(e -> e.sequence().close());
        entries.clear();
    }
}
