package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestInliningLimit {
    @ParameterizedTest
    @CsvSource(textBlock = """
            '',                                                                              false
            '-Xmx3g -XX:PerMethodRecompilationCutoff=10000 -ea',                             true
            '-XX:PerMethodRecompilationCutoff=9999',                                         false
            '-XX:PerMethodRecompilationCutoff=10000 -XX:PerMethodRecompilationCutoff=400',   false
            '-XX:PerMethodRecompilationCutoff=400 -XX:PerMethodRecompilationCutoff=100000',  true
            '-XX:PerMethodRecompilationCutoff=-1',                                           false
            """)
    void theLastFlagCounts(String arguments, boolean want) {
        assertThat(InliningLimit.isRaised(List.of(arguments.split(" ")))).isEqualTo(want);
    }

    @Test
    void testsRunWithIt() {
        assertThat(InliningLimit.isRaised()).isTrue();
    }
}
