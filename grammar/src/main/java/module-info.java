/** What an answer must obey, as masks over token ids. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.grammar {
    requires transitive dev.ossicle.engine;
    requires transitive dev.ossicle.harmony;
    requires static org.jspecify;

    exports dev.ossicle.grammar;
}
