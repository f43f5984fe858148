package sample;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import org.junit.jupiter.api.Test;

class AssistantTest {
    @Test
    void answersWithTheEmbeddedModel() {
        try (ChatModel model = ChatModel.nano()) {
            // nano is so small that plain loops answer before any kernel is compiled.
            assertFalse(((LocalModel) model).device().isBlank());
            assertFalse(new Assistant(model).answer("What is 2 + 3?").isBlank());
        }
    }
}
