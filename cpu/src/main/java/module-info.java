/** The forward pass on the CPU: a plain reference and the Vector API kernels, side by side. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.cpu {
    requires transitive dev.ossicle.checkpoint;
    requires transitive dev.ossicle.engine;
    requires java.management;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports dev.ossicle.cpu;

    provides dev.ossicle.engine.ModelRunnerProvider with
            dev.ossicle.cpu.VectorModelRunnerProvider,
            dev.ossicle.cpu.ReferenceModelRunnerProvider;
}
