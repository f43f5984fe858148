package sample;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.Chat;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.Tool;
import java.time.LocalTime;

/** Answers questions with a model that it is given. */
public final class Assistant {
    private final Chat chat;

    public Assistant(ChatModel model) {
        chat = model.chat().tools(Tool.of("clock", "The time of day", null, arguments -> LocalTime.now().toString()));
    }

    public String answer(String question) {
        try (Answer answer = chat.ask(question)) {
            return answer.text();
        }
    }
}
