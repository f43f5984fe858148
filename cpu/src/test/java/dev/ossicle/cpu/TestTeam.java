package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TestTeam {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void runsEachTaskOnceAndSeesWhatEarlierStagesWrote(int threads) {
        Random random = new Random(threads);
        try (Team team = new Team(threads)) {
            long[] values = new long[300]; // plain memory: stages hand it over
            for (int round = 0; round < 2000; round++) {
                int tasks = random.nextInt(values.length);
                int shift = random.nextInt(values.length);
                long[] before = values.clone();
                AtomicIntegerArray users = new AtomicIntegerArray(threads);
                team.run(tasks, (task, thread) -> {
                    assertThat(users.incrementAndGet(thread))
                            .as("one task a thread at a time")
                            .isEqualTo(1);
                    values[task] = before[(task + shift) % values.length] + task;
                    users.decrementAndGet(thread);
                });
                for (int i = 0; i < values.length; i++) {
                    long want = i < tasks ? before[(i + shift) % values.length] + i : before[i];
                    assertThat(values[i])
                            .as("round %d, task %d of %d", round, i, tasks)
                            .isEqualTo(want);
                }
            }
        }
    }

    @Test
    void waitsForSlowTasksAndWakesParkedWorkers() {
        try (Team team = new Team(3)) {
            for (int round = 0; round < 20; round++) {
                boolean[] done = new boolean[3];
                team.run(3, (task, thread) -> {
                    LockSupport.parkNanos(500_000L * task); // longer than anyone spins
                    done[task] = true;
                });
                assertThat(done).containsOnly(true);
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    @Test
    void aFailedTaskEndsItsStageOnly() {
        try (Team team = new Team(3)) {
            for (int round = 0; round < 200; round++) {
                int bad = round % 20;
                assertThatThrownBy(() -> team.run(20, (task, thread) -> {
                            if (task == bad) {
                                throw new IllegalStateException("task " + task);
                            }
                        }))
                        .hasMessage("task " + bad);
                int[] done = new int[50];
                team.run(50, (task, thread) -> done[task]++);
                assertThat(done).containsOnly(1);
            }
        }
    }
}
