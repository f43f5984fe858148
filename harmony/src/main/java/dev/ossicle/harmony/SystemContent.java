package dev.ossicle.harmony;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the system message says. Parts that are null are not said.
 *
 * @param conversationStartDate rendered as it is, by convention {@code yyyy-mm-dd}
 * @param tools built-in namespaces, by name
 */
public record SystemContent(
        @Nullable String modelIdentity,
        @Nullable ReasoningEffort reasoningEffort,
        @Nullable String conversationStartDate,
        @Nullable String knowledgeCutoff,
        @Nullable ChannelConfig channelConfig,
        Map<String, ToolNamespace> tools)
        implements Content {

    public static final String DEFAULT_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI.";

    /** What gpt-oss was trained with: its identity, medium effort, the cutoff 2024-06, three channels, no date. */
    public static final SystemContent DEFAULT = new SystemContent(
            DEFAULT_IDENTITY, ReasoningEffort.MEDIUM, null, "2024-06", ChannelConfig.DEFAULT, Map.of());

    public SystemContent {
        tools = Tools.copy(tools);
    }

    public SystemContent withModelIdentity(@Nullable String identity) {
        return new SystemContent(
                identity, reasoningEffort, conversationStartDate, knowledgeCutoff, channelConfig, tools);
    }

    public SystemContent withReasoningEffort(@Nullable ReasoningEffort effort) {
        return new SystemContent(modelIdentity, effort, conversationStartDate, knowledgeCutoff, channelConfig, tools);
    }

    public SystemContent withConversationStartDate(@Nullable String date) {
        return new SystemContent(modelIdentity, reasoningEffort, date, knowledgeCutoff, channelConfig, tools);
    }

    public SystemContent withKnowledgeCutoff(@Nullable String cutoff) {
        return new SystemContent(modelIdentity, reasoningEffort, conversationStartDate, cutoff, channelConfig, tools);
    }

    public SystemContent withChannelConfig(@Nullable ChannelConfig config) {
        return new SystemContent(modelIdentity, reasoningEffort, conversationStartDate, knowledgeCutoff, config, tools);
    }

    /** These channels and no others, and every message must have one. */
    public SystemContent withRequiredChannels(String... channels) {
        return withChannelConfig(new ChannelConfig(List.of(channels), true));
    }

    /** With one more namespace, which takes the place of one of the same name. */
    public SystemContent withTools(ToolNamespace namespace) {
        return new SystemContent(
                modelIdentity,
                reasoningEffort,
                conversationStartDate,
                knowledgeCutoff,
                channelConfig,
                Tools.with(tools, namespace));
    }
}
