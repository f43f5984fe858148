/** OpenAI's Harmony format: tokenizer, messages, rendering, streaming parser, repair. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.harmony {
    requires transitive dev.ossicle.json;
    requires static org.jspecify;

    exports dev.ossicle.harmony;
    exports dev.ossicle.harmony.tokenizer;
}
