/** What a gpt-oss checkpoint is: its files, number formats, configuration and weights. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.checkpoint {
    requires transitive dev.ossicle.json;
    requires static org.jspecify;

    exports dev.ossicle.checkpoint;
    exports dev.ossicle.checkpoint.write;
}
