package dev.ossicle.tools;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Starts processes on one thread that lives as long as the JVM. Linux tells a child of the death of the <em>thread</em> that
 * made it, and bubblewrap ends on that: a pool's thread, or a virtual one's carrier, would take the child with it.
 */
public final class Processes {
    private static final LinkedBlockingQueue<FutureTask<Process>> STARTS = new LinkedBlockingQueue<>();

    static {
        Thread.ofPlatform().daemon().name("ossicle-process-starter").start(() -> {
            while (true) {
                try {
                    STARTS.take().run();
                } catch (InterruptedException e) {
                    // nobody ends this thread
                }
            }
        });
    }

    private Processes() {}

    /**
     * Starts a process with standard error joined to standard output.
     *
     * @param environment all of it
     * @throws IOException if there is no such program
     */
    public static Process start(List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(environment);
        return start(builder);
    }

    /**
     * Starts a process as it is described.
     *
     * @throws IOException if there is no such program
     */
    public static Process start(ProcessBuilder builder) throws IOException, InterruptedException {
        FutureTask<Process> task = new FutureTask<>(builder::start);
        STARTS.add(task);
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            end(task);
            throw e;
        }
    }

    /** Nobody waits for it any more: what was started must not stay. */
    private static void end(FutureTask<Process> task) {
        Thread.startVirtualThread(() -> {
            try {
                task.get().destroyForcibly();
            } catch (InterruptedException | ExecutionException e) {
                // then there is none
            }
        });
    }
}
