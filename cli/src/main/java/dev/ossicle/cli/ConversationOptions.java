package dev.ossicle.cli;

import dev.ossicle.chat.Limits;
import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.ReasoningEffort;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model is talked to, the same for {@code run} and {@code chat}. */
final class ConversationOptions {
    @Option(
            names = {"-r", "--reasoning"},
            paramLabel = "low|medium|high",
            description = "How long the model thinks; medium by default.")
    ReasoningEffort reasoning = ReasoningEffort.MEDIUM;

    @Option(names = "--system", paramLabel = "TEXT", description = "Instructions, as the developer's message.")
    @Nullable
    String system;

    @Option(names = "--temperature", paramLabel = "T", description = "0 takes the best token; 1 by default.")
    private double temperature = 1;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Draw from the best tokens with this probability; 1 (all).")
    private double topP = 1;

    @Option(names = "--top-k", paramLabel = "K", description = "Draw from the K best tokens; 0 (all).")
    private int topK;

    @Option(names = "--min-p", paramLabel = "P", description = "Drop tokens below this share of the best; 0 (none).")
    private double minP;

    @Option(names = "--seed", paramLabel = "N", description = "Same seed, same text; random by default.")
    @Nullable
    Long seed;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "At most so many an answer, reasoning included; no limit but the context by default.")
    private int maxTokens = Integer.MAX_VALUE;

    @Option(
            names = "--date",
            paramLabel = "YYYY-MM-DD",
            description = "What the model takes for today; today by default.")
    private @Nullable String date;

    @Option(names = "--hide-reasoning", description = "Show the answer only.")
    boolean hideReasoning;

    @Option(
            names = "--tools",
            paramLabel = "NAME",
            split = ",",
            description =
                    "What the model may use: python (in a sandbox, without network), browser=FOLDER (searches and reads"
                            + " the documents in it; browser=URL a SearXNG instance, browser=exa, browser=youcom), apply_patch=FOLDER (changes files below it).")
    List<String> tools = List.of();

    @Mixin
    private McpOptions mcp;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    ConversationOptions() {}

    /** Those of the names, and the MCP servers. */
    RunTools openTools(List<String> names, PrintWriter err) throws IOException, InterruptedException {
        return RunTools.open(names, mcp.servers(), err);
    }

    /** @throws UsageException if a number is out of its range */
    Sampling sampling() {
        try {
            // Small positive seeds are easier to pass on than any 64 bits.
            return new Sampling(
                    temperature,
                    topP,
                    topK,
                    minP,
                    seed == null ? ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE) : seed);
        } catch (IllegalArgumentException e) {
            throw new UsageException(Main.message(e));
        }
    }

    /** @throws UsageException if it is no day */
    LocalDate today() {
        if (date == null) {
            return LocalDate.now();
        }
        try {
            return LocalDate.parse(date);
        } catch (DateTimeParseException e) {
            throw new UsageException("--date is \"" + date + "\", must be a day such as 2026-11-23");
        }
    }

    /** @throws UsageException if there is no room for an answer */
    Limits limits() {
        if (maxTokens < 1) {
            throw new UsageException("--max-tokens is " + maxTokens + ", must be at least 1");
        }
        return Limits.DEFAULT.withTokens(maxTokens);
    }

    /** What brings the same about on another command line. */
    List<String> words(Sampling sampling, LocalDate today) {
        List<String> words = new ArrayList<>(
                List.of("--reasoning", reasoning.name().toLowerCase(Locale.ROOT), "--date", today.toString()));
        words.addAll(List.of("--seed", Long.toString(sampling.seed()), "--temperature", Double.toString(temperature)));
        words.addAll(List.of("--top-p", Double.toString(topP), "--top-k", Integer.toString(topK)));
        words.addAll(List.of("--min-p", Double.toString(minP)));
        if (maxTokens != Integer.MAX_VALUE) {
            words.addAll(List.of("--max-tokens", Integer.toString(maxTokens)));
        }
        if (system != null) {
            words.addAll(List.of("--system", system));
        }
        return words;
    }
}
