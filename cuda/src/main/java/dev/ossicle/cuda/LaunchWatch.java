package dev.ossicle.cuda;

/** Told of each kernel that goes to a stream, to measure it. */
interface LaunchWatch {
    void before(String kernel);

    void after();
}
