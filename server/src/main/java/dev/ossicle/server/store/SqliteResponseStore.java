package dev.ossicle.server.store;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * In a SQLite file: one row a response, each written in a transaction of its own before {@link #put} returns. The write-ahead
 * log survives a killed process (https://sqlite.org/wal.html); {@code synchronous = FULL} makes it survive a power cut.
 */
public final class SqliteResponseStore implements ResponseStore {
    private static final int VERSION = 1;

    private final Path file;
    private final Connection connection;

    /** @throws IllegalArgumentException if the file is not such a store, or cannot be written */
    public SqliteResponseStore(Path file) {
        this.file = file;
        try {
            connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        } catch (SQLException e) {
            throw failed("cannot be opened", e);
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA busy_timeout = 5000");
            statement.execute("PRAGMA journal_mode = WAL");
            statement.execute("PRAGMA synchronous = FULL");
            int version;
            try (ResultSet row = statement.executeQuery("PRAGMA user_version")) {
                version = row.getInt(1);
            }
            if (version > VERSION) {
                throw new IllegalArgumentException(
                        file + ": is a store of a newer version of Ossicle (" + version + " > " + VERSION + ")");
            }
            statement.execute(
                    "CREATE TABLE IF NOT EXISTS responses (id TEXT PRIMARY KEY, previous TEXT, created INTEGER"
                            + " NOT NULL, response TEXT NOT NULL, input TEXT NOT NULL) WITHOUT ROWID");
            statement.execute("PRAGMA user_version = " + VERSION);
        } catch (SQLException e) {
            close();
            throw failed("is no store of responses, or cannot be written", e);
        }
    }

    private IllegalArgumentException failed(String what, SQLException e) {
        return new IllegalArgumentException(file + ": " + what + ": " + e.getMessage(), e);
    }

    @Override
    public synchronized void put(String id, Stored stored) {
        try (PreparedStatement statement =
                connection.prepareStatement("INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?)")) {
            statement.setString(1, id);
            statement.setString(2, stored.previous());
            statement.setLong(3, Instant.now().getEpochSecond());
            statement.setString(4, stored.response().toString());
            statement.setString(5, stored.input().toString());
            statement.executeUpdate();
        } catch (SQLException e) {
            throw new IllegalStateException(file + ": a response cannot be stored: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized @Nullable Stored get(String id) {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT response, input, previous FROM responses WHERE id = ?")) {
            statement.setString(1, id);
            try (ResultSet row = statement.executeQuery()) {
                return row.next()
                        ? new Stored(
                                (JsonObject) Json.parse(row.getString(1)),
                                (JsonArray) Json.parse(row.getString(2)),
                                row.getString(3))
                        : null;
            }
        } catch (SQLException e) {
            throw new IllegalStateException(file + ": responses cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized boolean delete(String id) {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM responses WHERE id = ?")) {
            statement.setString(1, id);
            return statement.executeUpdate() > 0;
        } catch (SQLException e) {
            throw new IllegalStateException(file + ": a response cannot be deleted: " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            System.getLogger("dev.ossicle.server").log(System.Logger.Level.WARNING, file + ": closing failed", e);
        }
    }
}
