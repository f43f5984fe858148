package sample;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import org.junit.jupiter.api.Test;

class AssistantTest {
    @Test
    void answersWithTheEmbeddedModel() {
        try (ChatModel model = ChatModel.nano()) {
            assertTrue(((LocalModel) model).device().contains("Vector API"), "the flag is set in the pom");
            assertFalse(new Assistant(model).answer("What is 2 + 3?").isBlank());
        }
    }
}
