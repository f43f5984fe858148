package dev.ossicle.server.store;

import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import org.jspecify.annotations.Nullable;

/** Responses by id, with what they answered. Thread-safe. */
public interface ResponseStore extends AutoCloseable {
    /**
     * A finished response.
     *
     * @param response as it was sent
     * @param input the items that this request added
     * @param previous the id of the response that it went on from; null if it began
     */
    record Stored(
            JsonObject response, JsonArray input, @Nullable String previous) {}

    /** Once this returns, the response outlives the process if the store does. */
    void put(String id, Stored stored);

    @Nullable
    Stored get(String id);

    /** Says whether there was one. */
    boolean delete(String id);

    @Override
    void close();
}
