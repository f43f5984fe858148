package dev.ossicle.cuda;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.ModelRunner;

/** The forward pass on one GPU. */
final class CudaModelRunner {
    private CudaModelRunner() {}

    /** @param device is closed with the runner */
    static ModelRunner open(Device device, Checkpoint checkpoint, DeviceOptions options) {
        device.close();
        throw new UnsupportedOperationException("not there yet: " + checkpoint.path() + options);
    }
}
