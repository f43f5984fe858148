package dev.ossicle.harmony;

import dev.ossicle.harmony.internal.IntList;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a parser has so far: its rules change it, its users look at it. */
final class Progress {
    final IntList tokens = new IntList(256);
    final List<Message> messages = new ArrayList<>();
    final List<Repair> repairs = new ArrayList<>();

    ParserState state;

    @Nullable
    Role pendingRole; // that of the message whose header is open, if it was settled before

    final IntList headerTokens = new IntList(16); // in a header

    @Nullable
    Header header; // in a content, as the next

    final TextDecoder text = new TextDecoder(this::badBytes);

    @Nullable
    String delta; // what the last step added to the text

    /** Of the modes, total alone reports. */
    private final boolean reports;

    Progress(@Nullable Role role, boolean reports) {
        pendingRole = role;
        state = role == null ? ParserState.EXPECT_START : ParserState.HEADER;
        this.reports = reports;
    }

    void repaired(Repair.Kind kind, int from, int to, String what) {
        if (reports) {
            repairs.add(new Repair(kind, messages.size(), from, to, what));
        }
    }

    void badBytes(byte[] bytes) {
        repaired(
                Repair.Kind.INVALID_UTF8,
                tokens.size() - 1,
                tokens.size(),
                HexFormat.of().withUpperCase().formatHex(bytes));
    }
}
