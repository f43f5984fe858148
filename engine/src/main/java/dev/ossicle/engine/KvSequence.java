package dev.ossicle.engine;

/** The keys and values of one sequence, on the device of the runner that made it. */
public interface KvSequence extends AutoCloseable {
    /** Positions that are cached. */
    int length();

    int maxContext();

    /**
     * The shortest length, at most {@link #length}, that {@link #truncate} can still go back to: windowed layers keep
     * only a ring of the last positions.
     */
    int truncatableTo();

    /**
     * Forgets all positions from {@code length} on, exactly.
     *
     * @throws IllegalArgumentException if the length is above {@link #length} or below {@link #truncatableTo}, 0 excepted
     */
    void truncate(int length);

    /**
     * Another sequence with the same content, which goes its own way from here. Cheap: memory is shared until one of the two
     * changes it.
     */
    KvSequence fork();

    /** Bytes of device memory that are held, shared ones included. */
    long bytes();

    @Override
    void close();
}
