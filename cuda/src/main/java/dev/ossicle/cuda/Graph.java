package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Recorded work that is launched as one, with the same arguments each time. Made by {@link Stream#record}. */
final class Graph implements AutoCloseable {
    private final Driver driver;
    private final long executable;

    private Graph(Driver driver, long executable) {
        this.driver = driver;
        this.executable = executable;
    }

    /** @param graph a CUgraph, which this call takes over */
    static Graph of(Stream stream, long graph) {
        Driver driver = stream.device().driver();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment executable = arena.allocate(JAVA_LONG);
            int result = (int) driver.cuGraphInstantiate.invokeExact(executable, graph, 0L);
            driver.check((int) driver.cuGraphDestroy.invokeExact(graph), "recording a graph for the GPU");
            driver.check(result, "preparing a graph for the GPU");
            return new Graph(driver, executable.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    void launch(Stream stream) {
        try {
            driver.check(
                    (int) driver.cuGraphLaunch.invokeExact(executable, stream.handle()),
                    "launching a graph on the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    @Override
    public void close() {
        try {
            driver.check((int) driver.cuGraphExecDestroy.invokeExact(executable), "freeing a graph of the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
