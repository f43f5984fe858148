package dev.ossicle.train;

import ai.djl.engine.Engine;

/** How DJL is told to behave; only effective before its first use. */
final class PyTorch {
    private PyTorch() {}

    /** No network, no telemetry: the native library comes out of the class path and is unpacked under the home folder. */
    static void prepare(int threads) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
    }

    static String description() {
        Engine engine = Engine.getInstance();
        return engine.getEngineName() + " " + engine.getVersion() + " on "
                + System.getProperty("ai.djl.pytorch.num_threads", "all") + " threads";
    }
}
