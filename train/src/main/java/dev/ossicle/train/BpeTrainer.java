package dev.ossicle.train;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Learns the merges of a byte-level BPE: the most frequent pair of neighbours becomes a token, again and again.
 *
 * <p>Deterministic: of two pairs as frequent, the one that was seen first in the texts wins.
 */
final class BpeTrainer {
    /** Two token ids that become one. */
    record Pair(int left, int right) {}

    /**
     * @param tokens the bytes of each token: the 256 bytes first, then what merges make, in the order of the merges
     * @param merges in the order in which they apply
     */
    record Result(List<byte[]> tokens, List<Pair> merges) {}

    /** A distinct piece of the texts as token ids, and how often it occurs. */
    private static final class Word {
        private int[] ids;
        private final long count;

        Word(int[] ids, long count) {
            this.ids = ids;
            this.count = count;
        }
    }

    private final Pattern split;

    /** @param split finds the pieces of a text; no merge crosses their borders */
    BpeTrainer(Pattern split) {
        this.split = split;
    }

    /** Learns until there are that many tokens, the 256 bytes included; fewer if no pair occurs at least twice. */
    Result train(Iterable<String> texts, int vocabulary) {
        List<Word> words = words(texts);
        List<byte[]> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add(new byte[] {(byte) b});
        }
        List<Pair> merges = new ArrayList<>();
        while (tokens.size() < vocabulary) {
            Pair best = mostFrequent(words);
            if (best == null) {
                break;
            }
            byte[] left = tokens.get(best.left());
            byte[] right = tokens.get(best.right());
            byte[] joined = Arrays.copyOf(left, left.length + right.length);
            System.arraycopy(right, 0, joined, left.length, right.length);
            int id = tokens.size();
            tokens.add(joined);
            merges.add(best);
            for (Word word : words) {
                word.ids = merge(word.ids, best, id);
            }
        }
        return new Result(tokens, merges);
    }

    private List<Word> words(Iterable<String> texts) {
        Map<String, Long> counts = new LinkedHashMap<>();
        for (String text : texts) {
            Matcher matcher = split.matcher(text);
            while (matcher.find()) {
                counts.merge(matcher.group(), 1L, Long::sum);
            }
        }
        List<Word> words = new ArrayList<>();
        counts.forEach((piece, count) -> {
            byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
            int[] ids = new int[bytes.length];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = bytes[i] & 0xff;
            }
            words.add(new Word(ids, count));
        });
        return words;
    }

    private static @Nullable Pair mostFrequent(List<Word> words) {
        Map<Pair, Long> counts = new LinkedHashMap<>();
        for (Word word : words) {
            for (int i = 1; i < word.ids.length; i++) {
                counts.merge(new Pair(word.ids[i - 1], word.ids[i]), word.count, Long::sum);
            }
        }
        Pair best = null;
        long most = 1;
        for (Map.Entry<Pair, Long> entry : counts.entrySet()) {
            if (entry.getValue() > most) {
                most = entry.getValue();
                best = entry.getKey();
            }
        }
        return best;
    }

    /** The ids with each occurrence of the pair, from the left, replaced by the merged token. */
    private static int[] merge(int[] ids, Pair pair, int merged) {
        int[] out = new int[ids.length];
        int length = 0;
        for (int i = 0; i < ids.length; i++) {
            if (i + 1 < ids.length && ids[i] == pair.left() && ids[i + 1] == pair.right()) {
                out[length++] = merged;
                i++;
            } else {
                out[length++] = ids[i];
            }
        }
        return length == ids.length ? ids : Arrays.copyOf(out, length);
    }
}
