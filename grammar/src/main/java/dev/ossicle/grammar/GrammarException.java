package dev.ossicle.grammar;

/** A grammar that cannot be obeyed: broken, impossible, or beyond what is supported. The message says where. */
public final class GrammarException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final String path;

    GrammarException(String path, String problem) {
        super(path + ": " + problem);
        this.path = path;
    }

    /** Where: a path into the schema, {@code $.properties.age}, or a line and column. */
    public String path() {
        return path;
    }
}
