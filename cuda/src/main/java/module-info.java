/** The forward pass on NVIDIA GPUs: CUDA C++ kernels, driven through java.lang.foreign. */
@org.jspecify.annotations.NullMarked
module dev.ossicle.cuda {
    requires transitive dev.ossicle.checkpoint;
    requires transitive dev.ossicle.engine;
    requires static org.jspecify;

    exports dev.ossicle.cuda;

    provides dev.ossicle.engine.ModelRunnerProvider with
            dev.ossicle.cuda.CudaModelRunnerProvider;
}
