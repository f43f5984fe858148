package dev.ossicle.tools.mcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names, schemas, lines. */
class TestMcpParts {
    private static McpTool tool(String name) {
        return new McpTool(name, "", JsonObject.EMPTY, null, false);
    }

    @Test
    void namesCanStandInHeadersAndAreAllDifferent() {
        List<McpTool> tools = List.of(
                tool("get"),
                tool("a.b"),
                tool("a/b"),
                tool("a b"),
                tool("ü<|call|>"),
                tool("n".repeat(200)),
                tool("n".repeat(201)));
        var named = FunctionNames.of("My  Server.com", tools);
        assertThat(named.values()).containsExactlyElementsOf(tools);
        assertThat(named.keySet())
                .allMatch(name -> name.matches("My_Server_com__[A-Za-z0-9_-]+") && name.length() <= 64);
        assertThat(named.keySet()).contains("My_Server_com__get", "My_Server_com__a_b");
        assertThat(FunctionNames.label("__")).isEqualTo("mcp");
        assertThat(FunctionNames.label("a__b_")).isEqualTo("a_b");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // pydantic's optional argument
                "{'title':'X','anyOf':[{'type':'string'},{'type':'null'}],'default':null} | {'type':'string'}",
                "{'anyOf':[{'type':'string'},{'type':'integer'},{'type':'null'}]} | {'type':['string','integer']}",
                "{'anyOf':[{'type':'array','items':{'title':'I','type':'string'}},{'type':'null'}]} | {'type':'array','items':{'type':'string'}}",
                // nothing that means something is lost
                "{'anyOf':[{'type':'string','enum':['a']},{'type':'integer'}]} | {'anyOf':[{'type':'string','enum':['a']},{'type':'integer'}]}",
                "{'anyOf':[{'$ref':'#/x'},{'type':'null'}]} | {'anyOf':[{'$ref':'#/x'},{'type':'null'}]}",
                "{'properties':{'title':{'title':'T','type':'string'},'default':{'default':1}}} | {'properties':{'title':{'type':'string'},'default':{'default':1}}}",
                "{'type':'object','properties':{'a':{'oneOf':[{'title':'b','type':'string'}]}}} | {'type':'object','properties':{'a':{'oneOf':[{'type':'string'}]}}}",
            })
    void schemasAreTrimmedAsInTraining(String given, String expected) throws Exception {
        JsonObject schema = (JsonObject) Json.parse(given.replace('\'', '"'));
        assertThat(Schemas.trim(schema)).isEqualTo(Json.parse(expected.replace('\'', '"')));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 1000})
    void linesEndAsTheyLike(int chunk) throws IOException {
        byte[] bytes = "a\n\nbü\r\nc\rd\r\n".getBytes(StandardCharsets.UTF_8);
        LineReader lines = new LineReader(new InChunks(bytes, chunk), 10);
        List<String> read = new ArrayList<>();
        for (String line = lines.next(); line != null; line = lines.next()) {
            read.add(line);
        }
        assertThat(read).containsExactly("a", "", "bü", "c", "d");
        LineReader limited = new LineReader(new InChunks("12345\n123456\n".getBytes(StandardCharsets.UTF_8), chunk), 5);
        assertThat(limited.next()).isEqualTo("12345");
        assertThatThrownBy(limited::next).hasMessage("sent a message of more than 5 bytes");
    }

    private static final class InChunks extends InputStream {
        private final ByteArrayInputStream bytes;
        private final int chunk;

        InChunks(byte[] bytes, int chunk) {
            this.bytes = new ByteArrayInputStream(bytes);
            this.chunk = chunk;
        }

        @Override
        public int read() {
            return bytes.read();
        }

        @Override
        public int read(byte[] into, int from, int count) {
            return bytes.read(into, from, Math.min(chunk, count));
        }
    }
}
