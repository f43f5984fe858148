package dev.ossicle.evals;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Right answers by kind of question and by effort. */
record Results(String model, List<Outcome> outcomes) {
    private List<String> families() {
        return outcomes.stream().map(o -> o.question().family()).distinct().toList();
    }

    /** @param effort null for all */
    private List<Outcome> of(Predicate<Outcome> which, @Nullable ReasoningEffort effort) {
        return outcomes.stream()
                .filter(which)
                .filter(o -> effort == null || o.question().effort() == effort)
                .toList();
    }

    private static long right(List<Outcome> some) {
        return some.stream().filter(Outcome::isRight).count();
    }

    private static double reasoning(List<Outcome> some) {
        return some.stream().mapToInt(Outcome::reasoningTokens).average().orElse(0);
    }

    /** Questions down, efforts across. */
    String table() {
        StringBuilder table = new StringBuilder();
        line(table, "right answers", "low", "medium", "high", "all");
        for (String family : families()) {
            shares(table, family, o -> o.question().family().equals(family));
        }
        shares(table, "all", o -> true);
        line(
                table,
                "reasoning tokens, mean",
                tokens(ReasoningEffort.LOW),
                tokens(ReasoningEffort.MEDIUM),
                tokens(ReasoningEffort.HIGH),
                tokens(null));
        return table.toString();
    }

    private void shares(StringBuilder table, String name, Predicate<Outcome> which) {
        line(
                table,
                name,
                share(of(which, ReasoningEffort.LOW)),
                share(of(which, ReasoningEffort.MEDIUM)),
                share(of(which, ReasoningEffort.HIGH)),
                share(of(which, null)) + percent(of(which, null)));
    }

    private static String share(List<Outcome> some) {
        return right(some) + "/" + some.size();
    }

    private static String percent(List<Outcome> some) {
        return String.format(Locale.ROOT, "%5.0f %%", 100.0 * right(some) / Math.max(1, some.size()));
    }

    private String tokens(@Nullable ReasoningEffort effort) {
        return String.format(Locale.ROOT, "%.1f", reasoning(of(o -> true, effort)));
    }

    private static void line(StringBuilder table, String name, String low, String medium, String high, String all) {
        table.append(String.format(Locale.ROOT, "%-24s%10s%10s%10s%18s%n", name, low, medium, high, all));
    }

    /** What was wrong, with what would have been right. */
    String wrong() {
        StringBuilder text = new StringBuilder();
        for (Outcome outcome : outcomes) {
            if (!outcome.isRight()) {
                text.append(outcome.question().family()).append(", ");
                text.append(outcome.question().effort().name().toLowerCase(Locale.ROOT))
                        .append(": ");
                text.append(outcome.expected().user()).append("\n  expected  ");
                text.append(said(outcome.expectedCalls(), outcome.expected().answer()));
                text.append("\n  answered  ")
                        .append(said(outcome.calls(), outcome.answer()))
                        .append("\n\n");
            }
        }
        return text.toString();
    }

    private static String said(List<String> calls, String answer) {
        return (calls.isEmpty() ? "" : calls + " ") + answer;
    }

    JsonObject json() {
        List<Json> cells = new ArrayList<>();
        for (String family : families()) {
            for (ReasoningEffort effort : ReasoningEffort.values()) {
                List<Outcome> cell = of(o -> o.question().family().equals(family), effort);
                cells.add(JsonObject.builder()
                        .put("family", family)
                        .put("effort", effort.name().toLowerCase(Locale.ROOT))
                        .put("right", right(cell))
                        .put("asked", cell.size())
                        .put("reasoning_tokens", reasoning(cell))
                        .build());
            }
        }
        return JsonObject.builder()
                .put("model", model)
                .put("right", right(outcomes))
                .put("asked", outcomes.size())
                .put("reasoning_tokens", reasoning(outcomes))
                .put("cells", Json.of(cells))
                .build();
    }
}
