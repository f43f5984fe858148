package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The typed keys and values at the head of a GGUF file. A value stays where it is mapped until somebody asks for it. */
final class GgufMetadata {
    /** Value types by their number. */
    enum Type {
        U8(1),
        I8(1),
        U16(2),
        I16(2),
        U32(4),
        I32(4),
        F32(4),
        BOOL(1),
        STRING(0),
        ARRAY(0),
        U64(8),
        I64(8),
        F64(8);

        /** 0 if it depends on the value. */
        final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    /**
     * Where a value lies.
     *
     * @param type of the value, or of an array's elements
     * @param count elements of an array, -1 if it is none
     */
    private record Entry(Type type, long count, long offset) {}

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A hundred times the merges of the published vocabulary. */
    private static final int LONGEST_ARRAY = 1 << 26;

    private final MappedFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /** Reads so many keys; the cursor stands behind them afterwards. */
    GgufMetadata(MappedFile file, GgufCursor cursor, long keys) {
        this.file = file;
        for (long i = 0; i < keys; i++) {
            long start = cursor.at();
            String key = cursor.readName("key " + i);
            if (entries.put(key, readEntry(cursor, key)) != null) {
                throw cursor.fail(start, "key " + key + " occurs twice");
            }
        }
    }

    private static Entry readEntry(GgufCursor cursor, String key) {
        Type type = readType(cursor, key);
        if (type != Type.ARRAY) {
            Entry entry = new Entry(type, -1, cursor.at());
            skip(cursor, type, key);
            return entry;
        }
        long start = cursor.at();
        Type elementType = readType(cursor, key);
        if (elementType == Type.ARRAY) {
            throw cursor.fail(start, "key " + key + " is an array of arrays, expected numbers or strings");
        }
        long count = cursor.readCount(elementType == Type.STRING ? 8 : elementType.bytes, "array length of key " + key);
        if (count > LONGEST_ARRAY) {
            throw cursor.fail(start, "key " + key + " has " + count + " elements, expected at most " + LONGEST_ARRAY);
        }
        Entry entry = new Entry(elementType, count, cursor.at());
        if (elementType == Type.STRING) {
            for (long i = 0; i < count; i++) {
                cursor.skipString(key);
            }
        } else {
            cursor.skip(count * elementType.bytes, key);
        }
        return entry;
    }

    private static Type readType(GgufCursor cursor, String key) {
        long start = cursor.at();
        int type = cursor.readInt("type of key " + key);
        if (type < 0 || type >= Type.values().length) {
            throw cursor.fail(
                    start, "key " + key + " has the type " + Integer.toUnsignedString(type) + ", expected 0 to 12");
        }
        return Type.values()[type];
    }

    private static void skip(GgufCursor cursor, Type type, String key) {
        if (type == Type.STRING) {
            cursor.skipString(key);
        } else {
            cursor.skip(type.bytes, key);
        }
    }

    Path path() {
        return file.path();
    }

    boolean has(String key) {
        return entries.containsKey(key);
    }

    /** Elements of an array, 0 if there is none of that name. */
    long arrayLength(String key) {
        Entry entry = entries.get(key);
        return entry == null ? 0 : Math.max(0, entry.count());
    }

    int integer(String key) {
        Entry entry = scalar(key, "an integer");
        return toInt(key, readInteger(key, entry.type(), entry.offset()));
    }

    int integer(String key, int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    OptionalInt optionalInteger(String key) {
        return has(key) ? OptionalInt.of(integer(key)) : OptionalInt.empty();
    }

    double number(String key) {
        Entry entry = scalar(key, "a number");
        MemorySegment data = file.data();
        return switch (entry.type()) {
            case F32 -> shortest(Float.intBitsToFloat(data.get(INT, entry.offset())));
            case F64 -> Double.longBitsToDouble(data.get(LONG, entry.offset()));
            default -> readInteger(key, entry.type(), entry.offset());
        };
    }

    double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    String string(String key) {
        Entry entry = scalar(key, "a string");
        if (entry.type() != Type.STRING) {
            throw wrong(key, "is of type " + entry.type(), "a string");
        }
        return new GgufCursor(file, entry.offset()).readString("key " + key);
    }

    String string(String key, String otherwise) {
        return has(key) ? string(key) : otherwise;
    }

    /** The strings of an array, empty if there is none of that name. */
    List<String> strings(String key) {
        Entry entry = array(key);
        if (entry == null || entry.count() == 0) {
            return List.of();
        }
        if (entry.type() != Type.STRING) {
            throw wrong(key, "is an array of " + entry.type(), "strings");
        }
        GgufCursor cursor = new GgufCursor(file, entry.offset());
        List<String> strings = new ArrayList<>();
        for (long i = 0; i < entry.count(); i++) {
            strings.add(cursor.readString(key));
        }
        return List.copyOf(strings);
    }

    /** The integers of an array, empty if there is none of that name. */
    int[] integers(String key) {
        Entry entry = array(key);
        if (entry == null || entry.count() == 0) {
            return new int[0];
        }
        int[] integers = new int[Math.toIntExact(entry.count())];
        for (int i = 0; i < integers.length; i++) {
            long value = readInteger(key, entry.type(), entry.offset() + (long) i * entry.type().bytes);
            integers[i] = toInt(key, value);
        }
        return integers;
    }

    CheckpointException wrong(String key, String found, String expected) {
        return new CheckpointException(file.path(), "key " + key + " " + found + ", expected " + expected);
    }

    private Entry scalar(String key, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw wrong(key, "is missing", expected);
        }
        if (entry.count() >= 0) {
            throw wrong(key, "is an array", expected);
        }
        return entry;
    }

    private @Nullable Entry array(String key) {
        Entry entry = entries.get(key);
        if (entry != null && entry.count() < 0) {
            throw wrong(key, "is of type " + entry.type(), "an array");
        }
        return entry;
    }

    private long readInteger(String key, Type type, long offset) {
        MemorySegment data = file.data();
        return switch (type) {
            case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, offset) & 0xFFL;
            case I8 -> data.get(ValueLayout.JAVA_BYTE, offset);
            case U16 -> data.get(SHORT, offset) & 0xFFFFL;
            case I16 -> data.get(SHORT, offset);
            case U32 -> data.get(INT, offset) & 0xFFFF_FFFFL;
            case I32 -> data.get(INT, offset);
            case U64, I64 -> data.get(LONG, offset);
            case F32, F64, STRING, ARRAY -> throw wrong(key, "is of type " + type, "an integer");
        };
    }

    private int toInt(String key, long value) {
        if (value != (int) value) {
            throw wrong(key, "is " + value, "an integer of 32 bits");
        }
        return (int) value;
    }

    /** The double that a person meant who wrote 1e-5 and got the nearest float. */
    private static double shortest(float value) {
        return Double.parseDouble(Float.toString(value));
    }
}
