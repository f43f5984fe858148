package dev.ossicle.grammar;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/** A set of Unicode code points other than surrogates, which no UTF-8 can hold. */
final class CodePoints {
    static final CodePoints NONE = new CodePoints(new int[0]);
    static final CodePoints ALL = new CodePoints(new int[] {0, 0xD7FF, 0xE000, 0x10FFFF});

    /** First and last of each range, ascending, with gaps between them. */
    private final int[] ranges;

    private CodePoints(int[] ranges) {
        this.ranges = ranges;
    }

    /** From {@code from} to {@code to}, both in it. */
    static CodePoints range(int from, int to) {
        return new CodePoints(new int[] {from, to}).and(ALL);
    }

    /** Those that stand in a text. */
    static CodePoints of(String text) {
        return text.codePoints().mapToObj(c -> range(c, c)).reduce(NONE, CodePoints::or);
    }

    static CodePoints matching(IntPredicate predicate) {
        List<int[]> found = new ArrayList<>();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (predicate.test(c)) {
                if (!found.isEmpty() && found.getLast()[1] == c - 1) {
                    found.getLast()[1] = c;
                } else {
                    found.add(new int[] {c, c});
                }
            }
        }
        return new CodePoints(found.stream().flatMapToInt(Arrays::stream).toArray()).and(ALL);
    }

    CodePoints or(CodePoints other) {
        return not(not(ranges), not(other.ranges));
    }

    CodePoints and(CodePoints other) {
        return new CodePoints(intersection(ranges, other.ranges));
    }

    /** All that are not in this set. */
    CodePoints not() {
        return new CodePoints(not(ranges)).and(ALL);
    }

    /** The one code point that is in it; -1 if there are more or none. */
    int only() {
        return ranges.length == 2 && ranges[0] == ranges[1] ? ranges[0] : -1;
    }

    private static CodePoints not(int[] a, int[] b) {
        return new CodePoints(not(intersection(a, b)));
    }

    private static int[] not(int[] ranges) {
        int[] out = new int[ranges.length + 2];
        int count = 0;
        int from = 0;
        for (int i = 0; i < ranges.length; i += 2) {
            if (from < ranges[i]) {
                out[count++] = from;
                out[count++] = ranges[i] - 1;
            }
            from = ranges[i + 1] + 1;
        }
        if (from <= Character.MAX_CODE_POINT) {
            out[count++] = from;
            out[count++] = Character.MAX_CODE_POINT;
        }
        return Arrays.copyOf(out, count);
    }

    private static int[] intersection(int[] a, int[] b) {
        int[] out = new int[a.length + b.length];
        int count = 0;
        int i = 0;
        int j = 0;
        while (i < a.length && j < b.length) {
            int from = Math.max(a[i], b[j]);
            int to = Math.min(a[i + 1], b[j + 1]);
            if (from <= to) {
                out[count++] = from;
                out[count++] = to;
            }
            if (a[i + 1] < b[j + 1]) {
                i += 2;
            } else {
                j += 2;
            }
        }
        return Arrays.copyOf(out, count);
    }

    /** How code points are written in bytes. */
    interface Encoding {
        /** One code point of the set. */
        Expression encode(CodePoints set);
    }

    /** UTF-8. */
    record Plain(Expressions expressions) implements Encoding {
        @Override
        public Expression encode(CodePoints set) {
            List<Expression> out = new ArrayList<>();
            for (int i = 0; i < set.ranges.length; i += 2) {
                encode(set.ranges[i], set.ranges[i + 1], out);
            }
            // Single bytes become one set.
            ByteSet ascii = ByteSet.NONE;
            List<Expression> longer = new ArrayList<>();
            for (Expression expression : out) {
                if (expression instanceof Expression.Bytes bytes) {
                    ascii = ascii.or(bytes.set);
                } else {
                    longer.add(expression);
                }
            }
            longer.add(expressions.bytes(ascii));
            return expressions.choice(longer);
        }

        /** Splits a range until all but the first differing byte may be anything that continues. */
        private void encode(int from, int to, List<Expression> out) {
            for (int limit : new int[] {0x7F, 0x7FF, 0xFFFF}) {
                if (from <= limit && to > limit) {
                    encode(from, limit, out);
                    encode(limit + 1, to, out);
                    return;
                }
            }
            if (to <= 0x7F) {
                out.add(expressions.bytes(ByteSet.range(from, to)));
                return;
            }
            for (int bits = 6; bits <= 18; bits += 6) {
                int low = (1 << bits) - 1;
                if ((from & ~low) != (to & ~low)) {
                    if ((from & low) != 0) {
                        encode(from, from | low, out);
                        encode((from | low) + 1, to, out);
                        return;
                    }
                    if ((to & low) != low) {
                        encode(from, (to & ~low) - 1, out);
                        encode(to & ~low, to, out);
                        return;
                    }
                }
            }
            byte[] first = Character.toString(from).getBytes(UTF_8);
            byte[] last = Character.toString(to).getBytes(UTF_8);
            Expression result = expressions.empty;
            for (int i = first.length - 1; i >= 0; i--) {
                result = expressions.sequence(expressions.bytes(ByteSet.range(first[i] & 255, last[i] & 255)), result);
            }
            out.add(result);
        }
    }

    /** In a JSON string, in one way each: as it is where that is allowed, else with the short escape if it has one. */
    record InJsonString(Expressions expressions) implements Encoding {
        private static final CodePoints ESCAPED = range(0, 0x1F).or(of("\"\\"));

        @Override
        public Expression encode(CodePoints set) {
            List<Expression> out = new ArrayList<>();
            out.add(new Plain(expressions).encode(set.and(ESCAPED.not())));
            CodePoints escaped = set.and(ESCAPED);
            for (int i = 0; i < escaped.ranges.length; i += 2) {
                for (int c = escaped.ranges[i]; c <= escaped.ranges[i + 1]; c++) {
                    int at = "\"\\\b\t\n\f\r".indexOf(c);
                    if (at >= 0) {
                        out.add(expressions.literal("\\" + "\"\\btnfr".charAt(at)));
                    } else {
                        int low = c & 15;
                        ByteSet digit = low < 10
                                ? ByteSet.of('0' + low)
                                : ByteSet.of('a' + low - 10).or(ByteSet.of('A' + low - 10));
                        out.add(expressions.sequence(
                                expressions.literal("\\u00" + (c >> 4)), expressions.bytes(digit)));
                    }
                }
            }
            return expressions.choice(out);
        }
    }
}
