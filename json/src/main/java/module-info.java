/** Ordered JSON values with their number text kept, reading and writing. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.json {
    requires static org.jspecify;

    exports dev.ossicle.json;
}
