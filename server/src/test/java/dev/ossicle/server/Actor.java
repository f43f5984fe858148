package dev.ossicle.server;

import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Answers as a model would that reads well: calls the function that the user names in "call NAME with {...}", says what a
 * function answered, and else gives the user's last words back.
 */
public final class Actor implements Function<int[], int @Nullable []> {
    private static final Pattern USER =
            Pattern.compile("<\\|start\\|>user<\\|message\\|>(.*?)<\\|end\\|>", Pattern.DOTALL);
    private static final Pattern RESULT =
            Pattern.compile("to=assistant<\\|channel\\|>commentary<\\|message\\|>(.*?)<\\|end\\|>", Pattern.DOTALL);
    private static final Pattern CALL = Pattern.compile("call (\\S+) with (\\{.*})", Pattern.DOTALL);
    private static final Pattern EXACTLY = Pattern.compile("say exactly (.*)", Pattern.DOTALL);

    @Override
    public int @Nullable [] apply(int[] prompt) {
        return Scripted.tokens(answer(Scripted.TOKENIZER.decode(prompt)));
    }

    private static String answer(String prompt) {
        String user = "";
        int end = 0;
        for (Matcher each = USER.matcher(prompt); each.find(); end = each.end()) {
            user = each.group(1);
        }
        String result = null;
        Matcher results = RESULT.matcher(prompt);
        for (boolean found = results.find(end); found; found = results.find()) {
            result = results.group(1);
        }
        Matcher call = CALL.matcher(user);
        if (result == null && call.find()) {
            return "<|channel|>analysis<|message|>I will call it.<|end|><|start|>assistant<|channel|>commentary to=functions."
                    + call.group(1) + " <|constrain|>json<|message|>" + call.group(2) + "<|call|>";
        }
        Matcher exactly = EXACTLY.matcher(user);
        String text = result != null ? "It says: " + result : exactly.find() ? exactly.group(1) : "You said: " + user;
        return "<|channel|>analysis<|message|>I know.<|end|><|start|>assistant<|channel|>final<|message|>" + text
                + "<|return|>";
    }
}
