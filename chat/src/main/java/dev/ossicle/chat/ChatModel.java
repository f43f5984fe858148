package dev.ossicle.chat;

import dev.ossicle.engine.LoadProgress;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Repair;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model to talk to, in this process or on a host: the seam between conversations and where their answers come from.
 * Thread-safe.
 *
 * <pre>{@code
 * try (ChatModel model = ChatModel.open(Path.of("gpt-oss-20b"))) {
 *     Chat chat = model.chat();
 *     System.out.println(chat.ask("Why is the sky blue?").text());
 * }
 * }</pre>
 */
public interface ChatModel extends AutoCloseable {
    /** As users know it: "nano", "gpt-oss-20b.gguf", "gpt-oss-120b at host". */
    String name();

    /** Begins the assistant's turn. Work starts at once. */
    Turn begin(ChatRequest request);

    /** Frees what the model holds; turns that are under way end. */
    @Override
    void close();

    /** A new conversation with this model. */
    default Chat chat() {
        return new Chat(this);
    }

    /**
     * Opens a checkpoint on the best device of this machine.
     *
     * @param path a folder (either safetensors layout) or a GGUF file
     * @throws dev.ossicle.checkpoint.CheckpointException if it cannot be used
     */
    static ChatModel open(Path path) {
        return open(path, LoadProgress.NONE);
    }

    /**
     * The same.
     *
     * @param progress hears how far the model has come into memory
     */
    static ChatModel open(Path path, LoadProgress progress) {
        return LocalModel.open(String.valueOf(path.getFileName()), path, progress);
    }

    /** The small model that Ossicle brings along: good for trying out the API, not for answers. */
    static ChatModel nano() {
        return LocalModel.open("nano", NanoModel.unpacked(), LoadProgress.NONE);
    }

    /**
     * A model on a host that speaks OpenAI's chat completions.
     *
     * @param base {@code https://host/v1}
     * @param model the name that the host knows it by
     * @param key sent as a bearer token; null for none
     */
    static ChatModel remote(URI base, String model, @Nullable String key) {
        return new RemoteModel(base, model, key);
    }

    /**
     * The assistant's turn: steps that end in an answer or in calls. One thread reads it; any may cancel.
     */
    interface Turn extends AutoCloseable {
        /**
         * Waits for the next {@link ChatEvent.Reading}, {@link ChatEvent.Reasoning}, {@link ChatEvent.Text} or
         * {@link ChatEvent.Calling}; null when the
         * step has ended.
         *
         * @throws ChatException if the model cannot go on
         */
        @Nullable
        ChatEvent next() throws InterruptedException;

        /** What the step came to, once it has ended: messages for the history, and calls among them. */
        StepEnd end();

        /** Tells the results of the step's calls, in their order, and lets the model go on. */
        void results(List<Message> results);

        /** Ends the step soon. */
        void cancel();

        /** The same as {@link #cancel}. */
        @Override
        default void close() {
            cancel();
        }
    }

    /**
     * How a step ended.
     *
     * @param messages what the model said, calls included
     * @param calls the messages among them that call something
     */
    record StepEnd(
            List<Message> messages,
            List<Message> calls,
            ChatEvent.Finish finish,
            ChatEvent.Usage usage,
            List<Repair> repairs) {}
}
