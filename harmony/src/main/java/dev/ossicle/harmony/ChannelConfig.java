package dev.ossicle.harmony;

import java.util.List;

/**
 * The channels that the system message names.
 *
 * @param required whether it says that every message must have one
 */
public record ChannelConfig(List<String> channels, boolean required) {
    /** What gpt-oss was trained with: analysis, commentary and final, required. */
    public static final ChannelConfig DEFAULT = new ChannelConfig(List.of("analysis", "commentary", "final"), true);

    public ChannelConfig {
        channels = List.copyOf(channels);
    }
}
