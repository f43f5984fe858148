/** The generation API, scheduling, sampling, and the seam behind which a device computes the forward pass. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.engine {
    requires transitive dev.ossicle.checkpoint;
    requires static org.jspecify;

    exports dev.ossicle.engine;
    exports dev.ossicle.engine.scripted;

    uses dev.ossicle.engine.ModelRunnerProvider;
}
