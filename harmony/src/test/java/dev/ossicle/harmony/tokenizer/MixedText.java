package dev.ossicle.harmony.tokenizer;

import java.util.SplittableRandom;

/** Seeded text of every kind that a tokenizer meets: prose and code, many scripts, emoji, white space, raw Unicode. */
public final class MixedText {
    private static final String[] WORDS = {
        "the",
        "quick",
        "Brown",
        "FOX",
        "naïve",
        "don't",
        "WE'LL",
        "they're",
        "it'S",
        "I'm",
        "you'd've",
        "O'Reilly",
        "CamelCaseWord",
        "snake_case",
        "HTTPServer",
        "iPhone",
        "x²",
        "½",
        "3.14159",
        "12345678",
        "٠١٢٣",
        "Ⅻ",
        "https://example.com/a?b=c#d",
        "C:\\\\Users\\\\me",
        "foo(bar, baz[0]);",
        "return x -> y != null;",
        "/* * */",
        "//",
        "///\n",
        "{\"a\":1}",
        "<|start|>",
        "<|end|>",
        "#include <stdio.h>",
        "def f(x):\n    return x\n",
        "Привет",
        "мир",
        "Ελληνικά",
        "東京",
        "日本語のテキスト",
        "你好世界",
        "안녕하세요",
        "नमस्ते",
        "สวัสดี",
        "שלום",
        "שָׁלוֹם",
        "مرحبا",
        "مَرْحَبًا",
        "ქართული",
        "Հայերեն",
        "አማርኛ",
        "தமிழ்",
        "Ǆungla",
        "ǅ",
        "ʰello",
        "ﬁ",
        "ﷺ",
        "🙂",
        "👩‍💻",
        "🇩🇪",
        "❤️",
        "👍🏽",
        "e\u0301",
        "\u0301",
        "\u200D",
        "\u00AD",
        "!?\u0301",
        "'ſ",
        "it'ſ",
        "'ll",
        "'Re",
    };
    private static final String[] SPACES = {
        " ",
        " ",
        " ",
        " ",
        "",
        "  ",
        "   ",
        "\n",
        "\n\n",
        " \n",
        "\n ",
        "\t",
        "\t\t",
        "\r\n",
        "\r\n\r\n  ",
        "\u00A0",
        "\u0085",
        "\u2028",
        "\u3000",
        "\u001C",
        "\u000B",
        "\u200B",
        " \u00A0\u2003",
        "        ",
        ". ",
        ", ",
        "-",
    };

    private MixedText() {}

    public static String of(SplittableRandom random, int words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            int kind = random.nextInt(20);
            if (kind < 17) {
                text.append(WORDS[random.nextInt(WORDS.length)]);
            } else if (kind == 17) {
                text.append(unicode(random, random.nextInt(1, 6)));
            } else if (kind == 18) {
                for (int n = random.nextInt(1, 12); n > 0; n--) {
                    text.append((char) random.nextInt(0x20, 0x7F));
                }
            } else {
                text.append(WORDS[random.nextInt(WORDS.length)].repeat(random.nextInt(1, 9)));
            }
            text.append(SPACES[random.nextInt(SPACES.length)]);
        }
        return text.toString();
    }

    /** Code points of all planes, half of them from the first; no surrogates. */
    public static String unicode(SplittableRandom random, int length) {
        StringBuilder text = new StringBuilder();
        while (length > 0) {
            int codePoint = random.nextInt(random.nextBoolean() ? 0x10000 : 0x110000);
            if (codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE) {
                text.appendCodePoint(codePoint);
                length--;
            }
        }
        return text.toString();
    }
}
