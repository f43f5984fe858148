package dev.ossicle.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that lies in memory for as long as the arena it was mapped in. */
record MappedFile(Path path, MemorySegment data) {

    static MappedFile map(Path path, Arena arena) {
        // Before it is opened: a pipe would block for ever.
        if (!Files.isRegularFile(path)) {
            throw new CheckpointException(path, whyNoFile(path));
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new MappedFile(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            throw new CheckpointException(path, "cannot be read: " + reason(e), e);
        }
    }

    long size() {
        return data.byteSize();
    }

    /** Bytes as text, decoded strictly. The range has been checked, and is small. */
    String text(long offset, int length, String what) {
        ByteBuffer bytes = data.asSlice(offset, length).asByteBuffer();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new CheckpointException(path, what + " at byte " + offset + " is not UTF-8", e);
        }
    }

    static String reason(Exception e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    static String whyNoFile(Path path) {
        if (Files.isDirectory(path)) {
            return "is a folder, expected a file";
        }
        if (Files.exists(path)) {
            return "is neither a file nor a folder";
        }
        return Files.isSymbolicLink(path) ? "is a symbolic link that leads nowhere" : "does not exist";
    }
}
