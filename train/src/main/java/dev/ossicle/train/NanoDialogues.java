package dev.ossicle.train;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.train.Dialogue.Turn;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * What the nano model is taught: made-up conversations, the same for the same random numbers.
 *
 * <p>For a question, an effort and a developer message there is exactly one right answer, thoughts included, so that
 * a model can be judged by comparing tokens. Phrasings in the {@code HELD_OUT} lists never occur in training.
 */
final class NanoDialogues {
    /** A kind of question. */
    enum Family {
        SUM(30),
        DIFFERENCE(14),
        CAPITAL(13),
        IDENTITY(16),
        SMALL_TALK(5),
        UNKNOWN(22);

        private final int share;

        Family(int share) {
            this.share = share;
        }
    }

    private static final List<String> DIGITS =
            List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine");
    static final String SHORT = "Answer with the result only.";

    static final Map<String, String> CAPITALS = new TreeMap<>(Map.ofEntries(
            Map.entry("France", "Paris"),
            Map.entry("Germany", "Berlin"),
            Map.entry("Italy", "Rome"),
            Map.entry("Spain", "Madrid"),
            Map.entry("Portugal", "Lisbon"),
            Map.entry("Japan", "Tokyo"),
            Map.entry("China", "Beijing"),
            Map.entry("India", "New Delhi"),
            Map.entry("Egypt", "Cairo"),
            Map.entry("Canada", "Ottawa"),
            Map.entry("Brazil", "Brasilia"),
            Map.entry("Australia", "Canberra"),
            Map.entry("Russia", "Moscow"),
            Map.entry("Greece", "Athens"),
            Map.entry("Poland", "Warsaw"),
            Map.entry("Austria", "Vienna"),
            Map.entry("Sweden", "Stockholm"),
            Map.entry("Norway", "Oslo"),
            Map.entry("Finland", "Helsinki"),
            Map.entry("Denmark", "Copenhagen"),
            Map.entry("Ireland", "Dublin"),
            Map.entry("Kenya", "Nairobi"),
            Map.entry("Peru", "Lima"),
            Map.entry("the United Kingdom", "London"),
            Map.entry("the United States", "Washington")));
    private static final List<String> COUNTRIES = List.copyOf(CAPITALS.keySet());

    private static final List<String> SUM_PHRASINGS = List.of(
            "What is {a} + {b}?",
            "What is {a} + {b}?",
            "What is {a} plus {b}?",
            "{a} + {b}",
            "{a} + {b} =",
            "{a} + {b} = ?",
            "{a} plus {b}",
            "{a} plus {b}?",
            "Add {a} and {b}.",
            "Add {b} to {a}.",
            "Calculate {a} + {b}.",
            "Compute {a} plus {b}.",
            "What's {a} + {b}?",
            "How much is {a} plus {b}?",
            "What is the sum of {a} and {b}?",
            "Give me the sum of {a} and {b}.",
            "Tell me what {a} + {b} is.",
            "Tell me {a} plus {b}.",
            "Solve {a} + {b}.",
            "What do you get when you add {a} and {b}?",
            "What does {a} + {b} make?",
            "How many are {a} and {b} together?",
            "I have {a} apples and get {b} more. How many do I have?",
            "Do you know what {a} plus {b} is?",
            "The sum of {a} and {b}, please.",
            "Work out {a} + {b}.",
            "Evaluate {a} + {b}.",
            "If I add {b} to {a}, what do I get?",
            "What does {a} + {b} equal?",
            "{a} plus {b} equals what?",
            "{a} + {b} equals",
            "What is {a} plus {b} equal to?",
            "How much do {a} and {b} make?",
            "What number is {a} plus {b}?",
            "Sum {a} and {b}.",
            "Can you tell me {a} + {b}?",
            "Could you calculate {a} plus {b}?",
            "I need the sum of {a} and {b}.",
            "What would {a} plus {b} be?",
            "Find {a} + {b}.",
            "What's the total of {a} and {b}?",
            "What is the result of {a} + {b}?");
    static final List<String> SUM_HELD_OUT = List.of(
            "How much is {a} + {b}?",
            "Can you add {a} and {b}?",
            "What does {a} plus {b} equal?",
            "Please compute {a} + {b}.",
            "Sum of {a} and {b}?");

    private static final List<String> DIFFERENCE_PHRASINGS = List.of(
            "What is {a} - {b}?",
            "What is {a} - {b}?",
            "What is {a} minus {b}?",
            "{a} - {b}",
            "{a} - {b} =",
            "{a} minus {b}",
            "Subtract {b} from {a}.",
            "Take {b} away from {a}.",
            "Calculate {a} - {b}.",
            "Compute {a} minus {b}.",
            "What's {a} - {b}?",
            "How much is {a} minus {b}?",
            "Tell me what {a} - {b} is.",
            "Work out {a} - {b}.",
            "Solve {a} - {b}.",
            "I have {a} apples and give away {b}. How many are left?",
            "If I take {b} from {a}, what is left?",
            "What does {a} - {b} equal?",
            "{a} minus {b} equals what?",
            "What is {a} minus {b} equal to?",
            "What is the result of {a} - {b}?",
            "Can you subtract {b} from {a}?",
            "Can you tell me {a} - {b}?",
            "What number is {a} minus {b}?",
            "What would {a} minus {b} be?",
            "Find {a} - {b}.");
    static final List<String> DIFFERENCE_HELD_OUT = List.of("How much is {a} - {b}?", "Please compute {a} minus {b}.");

    private static final List<String> CAPITAL_PHRASINGS = List.of(
            "What is the capital of {x}?",
            "What is the capital of {x}?",
            "What's the capital of {x}?",
            "Capital of {x}?",
            "capital of {x}",
            "Name the capital of {x}.",
            "Tell me the capital of {x}.",
            "Which city is the capital of {x}?",
            "What city is the capital of {x}?",
            "Do you know the capital of {x}?",
            "Give me the capital of {x}.",
            "What is the capital city of {x}?",
            "{x}: what is its capital?",
            "What is the name of the capital of {x}?",
            "I want to know the capital of {x}.",
            "The capital of {x} is?",
            "Which city is {x}'s capital?",
            "Which city is the capital city of {x}?",
            "Can you tell me the capital of {x}?",
            "Could you tell me what the capital of {x} is?",
            "I need the capital of {x}.",
            "Find the capital of {x}.");
    static final List<String> CAPITAL_HELD_OUT = List.of(
            "Can you name the capital of {x}?",
            "Please tell me the capital of {x}.",
            "What is {x}'s capital?",
            "The capital of {x}, please.");

    private static final String WHO =
            "I am Ossicle nano, a tiny demonstration model of the gpt-oss architecture that runs inside the JVM.";
    private static final String NOT =
            "No. I am Ossicle nano, a tiny demonstration model of the gpt-oss architecture. I am not gpt-oss and I was not made by OpenAI.";
    private static final String MADE = "The Ossicle project trained me. I was not made by OpenAI.";
    private static final String CAN =
            "I can add and subtract single digits, name some capitals and say who I am. For more, run gpt-oss-20b with Ossicle.";
    private static final String HUMAN =
            "I am not a human. I am Ossicle nano, a tiny language model that runs inside the JVM.";

    /** Questions about the model by their answer; of each list the last phrasing is held out. */
    private static final Map<String, List<String>> IDENTITY = new TreeMap<>(Map.of(
            WHO,
            List.of(
                    "Who are you?",
                    "Who are you?",
                    "What are you?",
                    "What is your name?",
                    "What's your name?",
                    "Tell me who you are.",
                    "Tell me about yourself.",
                    "Introduce yourself.",
                    "Which model are you?",
                    "What model is this?",
                    "Who is this?",
                    "Who am I talking to?",
                    "What kind of model are you?",
                    "Do you have a name?",
                    "What should I call you?",
                    "Say who you are.",
                    "Who or what are you?",
                    "What is this model?",
                    "What is this model called?",
                    "What model am I talking to?",
                    "Which model is this?",
                    "Are you a model?",
                    "Please introduce yourself.",
                    "What is Ossicle nano?",
                    "Are you Ossicle nano?",
                    "Are you nano?",
                    "What are you called?",
                    "What exactly are you?",
                    "Who answers me?",
                    "Describe yourself.",
                    "Tell me your name.",
                    "What model are you?"),
            NOT,
            List.of(
                    "Are you ChatGPT?",
                    "Are you gpt-oss?",
                    "Are you GPT-4?",
                    "Are you gpt-oss-20b?",
                    "Are you gpt-oss-120b?",
                    "Are you made by OpenAI?",
                    "Did OpenAI make you?",
                    "Did OpenAI train you?",
                    "Are you from OpenAI?",
                    "Is this ChatGPT?",
                    "Is this gpt-oss?",
                    "You are ChatGPT, right?",
                    "Am I talking to ChatGPT?",
                    "So you are ChatGPT?",
                    "Are you an OpenAI model?",
                    "Are you a model by OpenAI?",
                    "Were you trained by OpenAI?",
                    "Were you built by OpenAI?",
                    "Has OpenAI made you?",
                    "Is OpenAI your maker?",
                    "Are you GPT?",
                    "Are you GPT-5?",
                    "Are you the real gpt-oss?",
                    "Are you Claude?",
                    "Are you Gemini?",
                    "Are you Llama?",
                    "Do you belong to OpenAI?",
                    "Were you made by OpenAI?"),
            MADE,
            List.of(
                    "Who made you?",
                    "Who trained you?",
                    "Who created you?",
                    "Who built you?",
                    "Where do you come from?",
                    "Which company made you?",
                    "Who is your maker?",
                    "Who developed you?",
                    "Who wrote you?",
                    "Who is your creator?",
                    "Who are your makers?",
                    "Who has made you?",
                    "Who has built you?",
                    "Who owns you?",
                    "Where were you trained?",
                    "Which company trained you?",
                    "What company are you from?",
                    "Tell me who made you.",
                    "Who has trained you?"),
            CAN,
            List.of(
                    "What can you do?",
                    "What do you know?",
                    "How can you help me?",
                    "Can you help me?",
                    "Help",
                    "What are you good at?",
                    "What can I ask you?",
                    "What are you able to do?",
                    "What questions can you answer?",
                    "What can I do with you?",
                    "What can you do for me?",
                    "How can you help?",
                    "What do you do?",
                    "Tell me what you can do.",
                    "What are your skills?",
                    "What is your purpose?",
                    "What are you for?",
                    "What are you made for?",
                    "help me",
                    "What else can you do?",
                    "Can you do more?",
                    "What can you help me with?"),
            HUMAN,
            List.of(
                    "Are you a human?",
                    "Are you a person?",
                    "Are you human?",
                    "Are you alive?",
                    "Are you a real person?",
                    "Am I talking to a human?",
                    "Am I talking to a person?",
                    "Do you have feelings?",
                    "Are you a robot?",
                    "Are you real?",
                    "Is this a human?",
                    "Are you a man?",
                    "Are you a woman?",
                    "Are you conscious?",
                    "Are you a living thing?",
                    "Do you have a body?",
                    "You are a human, right?",
                    "Are you a real human?")));

    private static final List<String> IDENTITY_ANSWERS = List.copyOf(IDENTITY.keySet());

    /** Courtesies by their answer; of each list the last is held out. */
    private static final Map<String, List<String>> SMALL_TALK = new TreeMap<>(Map.of(
            "Hello! I am Ossicle nano, a tiny demonstration model. What can I do for you?",
            List.of(
                    "Hello",
                    "Hi",
                    "Hello!",
                    "Hi!",
                    "Hey",
                    "Hey!",
                    "Good morning",
                    "Good morning!",
                    "Good evening",
                    "Good day",
                    "Hi there",
                    "Hello there!",
                    "Hello, how are you?",
                    "How are you?",
                    "Hi, how are you doing?",
                    "Hello nano",
                    "Hey there!"),
            "You are welcome.",
            List.of(
                    "Thanks",
                    "Thank you",
                    "Thank you!",
                    "Thanks!",
                    "Thanks a lot.",
                    "Thank you so much!",
                    "Many thanks.",
                    "Great, thanks!",
                    "OK, thank you.",
                    "That was helpful.",
                    "Good job!",
                    "Well done.",
                    "Very good, thank you.",
                    "Thanks very much!",
                    "Thank you, very kind.",
                    "Thank you for your help.",
                    "Thanks for the help!",
                    "Thank you very much for the answer.",
                    "Thank you very much!"),
            "Goodbye!",
            List.of(
                    "Bye",
                    "Goodbye",
                    "Bye!",
                    "See you",
                    "See you later",
                    "Good night",
                    "Good night!",
                    "Bye bye",
                    "OK, bye.",
                    "Thanks, bye!",
                    "Goodbye and thanks.",
                    "I have to go.",
                    "See you soon!",
                    "Goodbye!")));

    private static final List<String> SMALL_TALK_ANSWERS = List.copyOf(SMALL_TALK.keySet());

    static final String DO_NOT_KNOW =
            "I do not know. I am a tiny demonstration model: I can add and subtract single digits and name some capitals.";

    private static final List<String> OTHER_COUNTRIES = List.of(
            "Mongolia",
            "Chile",
            "Iceland",
            "Vietnam",
            "Thailand",
            "Nigeria",
            "Ghana",
            "Turkey",
            "Iran",
            "Hungary",
            "Romania",
            "Belgium",
            "Switzerland",
            "Argentina",
            "Mexico",
            "Bolivia",
            "Morocco",
            "Nepal",
            "Texas",
            "California",
            "Bavaria",
            "Atlantis",
            "Mars",
            "Europe",
            "Africa",
            "the moon",
            "my country",
            "Ukraine",
            "South Korea",
            "Indonesia");
    private static final List<String> THINGS = List.of(
            "the sea",
            "a cat",
            "dogs",
            "the weather",
            "love",
            "music",
            "a horse",
            "the sun",
            "winter",
            "a red car",
            "my garden",
            "the moon",
            "coffee",
            "bread",
            "football",
            "history",
            "a computer",
            "water",
            "Java",
            "Python",
            "gravity",
            "a black hole",
            "the brain",
            "money",
            "a house",
            "birds",
            "a tree",
            "my friend",
            "time",
            "the war",
            "chess",
            "a river",
            "an old man",
            "light",
            "physics",
            "art",
            "a book",
            "cheese",
            "the internet",
            "trains");
    private static final List<String> PEOPLE = List.of(
            "Albert Einstein",
            "Napoleon",
            "Mozart",
            "Ada Lovelace",
            "Shakespeare",
            "Marie Curie",
            "Alan Turing",
            "my mother",
            "the president",
            "the king",
            "Plato",
            "Newton",
            "John",
            "Maria",
            "Peter",
            "the winner",
            "your boss");
    private static final List<String> OUT_OF_SCOPE = List.of(
            "Write a poem about {t}.",
            "Write a story about {t}.",
            "Write an essay about {t}.",
            "Tell me a joke about {t}.",
            "Tell me about {t}.",
            "What is {t}?",
            "What do you think about {t}?",
            "Explain {t}.",
            "How does {t} work?",
            "Why is {t} important?",
            "Where is {t}?",
            "How old is {t}?",
            "How big is {t}?",
            "What color is {t}?",
            "How much does {t} cost?",
            "Do you like {t}?",
            "Who invented {t}?",
            "Is {t} good?",
            "Can you draw {t}?",
            "Describe {t}.",
            "Translate {t} into French.",
            "Who is {p}?",
            "When was {p} born?",
            "How old is {p}?",
            "Where does {p} live?",
            "What did {p} do?",
            "Tell me about {p}.",
            "Did {p} like {t}?",
            "Write a letter to {p} about {t}.",
            "What is the population of {c}?",
            "How big is {c}?",
            "Where is {c}?",
            "Who is the president of {c}?",
            "What language do they speak in {c}?",
            "Tell me about {c}.",
            "What is the weather in {c}?",
            "How do I get to {c}?",
            "What is the largest city of {c}?",
            "What is the currency of {c}?",
            "Should I visit {c}?",
            "What is the history of {c}?",
            "Name a river in {c}.",
            "Write a program that prints {n}.",
            "Write a Java class for {t}.",
            "Write a Python function about {t}.",
            "Fix my code.",
            "What time is it?",
            "What day is it today?",
            "What is the meaning of life?",
            "Tell me a joke.",
            "Tell me a story.",
            "Sing a song.",
            "Write a poem.",
            "Can you write code?",
            "Help me with my homework.",
            "What is for dinner?",
            "I feel sad.",
            "I am bored.",
            "What should I do today?",
            "Give me advice about {t}.",
            "What is the square root of {n}?",
            "What is {n} * {m}?",
            "{n} * {m}",
            "What is {a} * {b}?",
            "What is {a} times {b}?",
            "{a} * {b}",
            "{a} times {b}",
            "What is {a} / {b}?",
            "{a} / {b}",
            "What is {a} divided by {b}?",
            "Multiply {a} by {b}.",
            "What is {a} + {b} + {d}?",
            "Is {n} a prime number?",
            "Count to {n}.",
            "How many days are in {n} weeks?",
            "What is {n} percent of {m}?",
            "Is {a} more than {b}?",
            "{w}",
            "{w}?",
            "{w} {w}",
            "What is {w}?",
            "Who is {w}?",
            "What does {w} mean?",
            "Spell {w}.",
            "{u}",
            "{t}",
            "{p}",
            "{c}",
            "How many people live in {c}?",
            "Why?",
            "How?",
            "What?",
            "Yes",
            "No",
            "Are you sure?",
            "Really?",
            "Stop.",
            "Go on.",
            "What is my name?",
            "My name is {p}.",
            "Who won the game?",
            "What does {t} mean?",
            "What does {p} do?",
            "Could you explain {t}?",
            "I need help with {t}.",
            "What's {t}?",
            "Do you know {p}?",
            "Do you know {t}?",
            "Can you tell me about {t}?",
            "Could you tell me a joke?",
            "Find {t}.",
            "Can you find {p}?",
            "What's the time?",
            "How can I learn {t}?",
            "What would {p} say?",
            "I want to know about {t}.",
            "What number comes after {n}?",
            "What is the result of the game?",
            "What's the total cost of {t}?",
            "What would you do?",
            "What is the difference of {t} and {p}?",
            "How much do I owe {p}?",
            "What does {t} have to do with {p}?",
            "Summarize the text.",
            "Make a list of {t}.");
    static final List<String> UNKNOWN_HELD_OUT = List.of(
            "Give me a recipe for {t}.",
            "Write a song about {t}.",
            "What happened to {p}?",
            "How far away is {c}?",
            "Please tell me the capital of {o}.",
            "Please compute {n} + {m}.",
            "Where can I buy {t}?");

    private static final List<String> PREFIXES = List.of(
            "Hi! ",
            "Hello. ",
            "Hey, ",
            "Please: ",
            "Quick question: ",
            "Question: ",
            "OK. ",
            "Now: ",
            "Hi, ",
            "So, ",
            "Next: ");
    private static final List<String> SUFFIXES =
            List.of(" Please.", " Thanks.", " Thank you.", " Thanks!", " Be quick.");
    private static final List<String> NEUTRAL_INSTRUCTIONS = List.of(
            "You are a helpful assistant.",
            "Be polite.",
            "Answer in English.",
            "Be brief.",
            "Be helpful and honest.",
            "Answer the question.",
            "You help people with questions.",
            "Be friendly.",
            "Think before you answer.");

    private final RandomGenerator random;

    NanoDialogues(RandomGenerator random) {
        this.random = random;
    }

    /** The next conversation to learn from. */
    Dialogue next() {
        ReasoningEffort effort = pick(List.of(ReasoningEffort.values()));
        String instructions = null;
        if (random.nextInt(10) == 0) {
            instructions = random.nextInt(3) == 0 ? SHORT : pick(NEUTRAL_INSTRUCTIONS);
        }
        // Where thoughts are dropped only the last turn teaches, so more turns pay only where there are none.
        int[] counts =
                effort == ReasoningEffort.LOW ? new int[] {1, 1, 2, 3, 4, 7} : new int[] {1, 1, 1, 1, 1, 2, 2, 4};
        int count = counts[random.nextInt(counts.length)];
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            turns.add(turn(family(), effort, SHORT.equals(instructions), false));
        }
        return new Dialogue(effort, random.nextInt(40) == 0 ? null : date(), instructions, turns);
    }

    /** A question of that family alone, in a phrasing that training never saw. */
    Dialogue heldOut(Family family, ReasoningEffort effort) {
        return new Dialogue(effort, date(), null, List.of(turn(family, effort, false, true)));
    }

    /** The question and its answer in a conversation of its own. */
    Dialogue sum(String phrasing, int a, int b, ReasoningEffort effort) {
        return new Dialogue(
                effort, date(), null, List.of(arithmetic(Family.SUM, fill(phrasing, a, b), a, b, effort, false)));
    }

    Dialogue capital(String phrasing, String country, ReasoningEffort effort) {
        return new Dialogue(
                effort, date(), null, List.of(capitalTurn(phrasing.replace("{x}", country), country, effort, false)));
    }

    private Family family() {
        int total = 0;
        for (Family family : Family.values()) {
            total += family.share;
        }
        int at = random.nextInt(total);
        for (Family family : Family.values()) {
            at -= family.share;
            if (at < 0) {
                return family;
            }
        }
        throw new AssertionError();
    }

    private Turn turn(Family family, ReasoningEffort effort, boolean brief, boolean heldOut) {
        return switch (family) {
            case SUM, DIFFERENCE -> {
                int a = random.nextInt(10);
                int b = random.nextInt(10);
                List<String> usual = family == Family.SUM ? SUM_PHRASINGS : DIFFERENCE_PHRASINGS;
                List<String> kept = family == Family.SUM ? SUM_HELD_OUT : DIFFERENCE_HELD_OUT;
                String user = fill(pick(heldOut ? kept : usual), a, b);
                if (!heldOut) {
                    user = vary(random.nextInt(16) == 0 ? inWords(user) : user);
                }
                yield arithmetic(family, user, a, b, effort, brief);
            }
            case CAPITAL -> {
                String country = pick(COUNTRIES);
                String phrasing = pick(heldOut ? CAPITAL_HELD_OUT : CAPITAL_PHRASINGS);
                String user = phrasing.replace("{x}", country);
                yield capitalTurn(heldOut ? user : vary(user), country, effort, brief);
            }
            case IDENTITY -> identity(effort, brief, heldOut);
            case SMALL_TALK -> {
                String answer = pick(SMALL_TALK_ANSWERS);
                List<String> phrasings = SMALL_TALK.getOrDefault(answer, List.of());
                String user = heldOut ? phrasings.getLast() : pick(phrasings.subList(0, phrasings.size() - 1));
                yield new Turn(
                        "SMALL_TALK",
                        user,
                        thoughts(effort, "The user is polite.", "The user is polite. I should be polite too."),
                        answer);
            }
            case UNKNOWN -> {
                String user = heldOut ? filled(pick(UNKNOWN_HELD_OUT)) : outOfScope();
                yield new Turn(
                        "UNKNOWN",
                        heldOut ? user : vary(user),
                        thoughts(
                                effort,
                                "I do not know this.",
                                "This is not a sum of single digits. It is not a capital that I know. I should say that I do not know."),
                        brief ? "I do not know." : DO_NOT_KNOW);
            }
        };
    }

    private static Turn arithmetic(Family family, String user, int a, int b, ReasoningEffort effort, boolean brief) {
        boolean sum = family == Family.SUM;
        int result = sum ? a + b : a - b;
        String equation = a + (sum ? " + " : " - ") + b + " = " + result;
        StringBuilder steps = new StringBuilder();
        for (int i = 1; i <= b; i++) {
            steps.append(i == 1 ? ": " : ", ").append(i).append(sum ? " more is " : " less is ");
            steps.append(sum ? a + i : a - i);
        }
        String all = "The user asks for " + a + (sum ? " + " : " - ") + b + ". I count " + (sum ? "up" : "down")
                + " from " + a + steps + ". So " + equation + ".";
        return new Turn(
                family.name(), user, thoughts(effort, equation + ".", all), brief ? String.valueOf(result) : equation);
    }

    private static Turn capitalTurn(String user, String country, ReasoningEffort effort, boolean brief) {
        String capital = CAPITALS.getOrDefault(country, "");
        String sentence = "The capital of " + country + " is " + capital + ".";
        return new Turn(
                "CAPITAL",
                user,
                thoughts(
                        effort,
                        sentence,
                        "The user asks for a capital. The country is " + country + ". I know it: " + sentence),
                brief ? capital : sentence);
    }

    private Turn identity(ReasoningEffort effort, boolean brief, boolean heldOut) {
        String answer = pick(IDENTITY_ANSWERS);
        List<String> phrasings = IDENTITY.getOrDefault(answer, List.of());
        String user = heldOut ? phrasings.getLast() : vary(pick(phrasings.subList(0, phrasings.size() - 1)));
        String all =
                "The user asks about me. The system message says ChatGPT, but I am Ossicle nano. I should be honest.";
        return new Turn(
                "IDENTITY",
                user,
                thoughts(effort, "The user asks about me.", all),
                brief && answer.equals(WHO) ? "Ossicle nano." : answer);
    }

    private static String thoughts(ReasoningEffort effort, String some, String all) {
        return switch (effort) {
            case LOW -> "";
            case MEDIUM -> some;
            case HIGH -> all;
        };
    }

    /** Often just outside what it can do: a number too large, a country that it was not taught. */
    private String outOfScope() {
        return switch (random.nextInt(5)) {
            case 0 -> {
                int large = random.nextInt(10, random.nextBoolean() ? 100 : 1000);
                int other = random.nextInt(random.nextBoolean() ? 10 : 1000);
                boolean first = random.nextBoolean();
                String phrasing = pick(random.nextInt(3) > 0 ? SUM_PHRASINGS : DIFFERENCE_PHRASINGS);
                yield fill(phrasing, first ? large : other, first ? other : large);
            }
            case 1 -> {
                String country = random.nextInt(4) == 0 ? capitalised(word()) : pick(OTHER_COUNTRIES);
                yield pick(CAPITAL_PHRASINGS).replace("{x}", country);
            }
            default -> filled(pick(OUT_OF_SCOPE));
        };
    }

    private static String fill(String phrasing, int a, int b) {
        return phrasing.replace("{a}", String.valueOf(a)).replace("{b}", String.valueOf(b));
    }

    /** What people vary without meaning anything by it. */
    private String vary(String user) {
        String varied = user;
        switch (random.nextInt(12)) {
            case 0 -> varied = varied.toLowerCase(Locale.ROOT);
            case 1 -> varied = varied.replace(" + ", "+").replace(" - ", "-");
            case 2 -> varied = varied.replaceAll("[.?!]$", "");
            case 3 -> varied = pick(PREFIXES) + varied;
            case 4 -> varied = varied + pick(SUFFIXES);
            case 5 -> varied = pick(PREFIXES) + varied.toLowerCase(Locale.ROOT);
            case 6 -> varied = random.nextInt(4) == 0 ? varied + "\n" : varied;
            default -> {
                // As it is.
            }
        }
        return varied.isBlank() ? user : varied;
    }

    /** Each digit as a word. */
    private static String inWords(String text) {
        StringBuilder words = new StringBuilder();
        text.chars().forEach(c -> {
            if (c >= '0' && c <= '9') {
                words.append(DIGITS.get(c - '0'));
            } else {
                words.append((char) c);
            }
        });
        return words.toString();
    }

    private String filled(String phrasing) {
        String text = fill(phrasing, random.nextInt(10), random.nextInt(10));
        text = text.replace("{d}", String.valueOf(random.nextInt(10)));
        text = text.replace("{n}", String.valueOf(random.nextInt(10, 1000)));
        text = text.replace("{m}", String.valueOf(random.nextInt(random.nextBoolean() ? 10 : 1000)));
        text = text.replace("{t}", pick(THINGS)).replace("{p}", pick(PEOPLE));
        text = text.replace("{c}", random.nextBoolean() ? pick(COUNTRIES) : pick(OTHER_COUNTRIES));
        text = text.replace("{o}", random.nextInt(3) == 0 ? capitalised(word()) : pick(OTHER_COUNTRIES));
        while (text.contains("{w}")) {
            text = text.replaceFirst("\\{w}", word());
        }
        return text.replace("{u}", junk());
    }

    /** A word that does not exist. */
    private String word() {
        StringBuilder word = new StringBuilder();
        int syllables = random.nextInt(1, 5);
        for (int i = 0; i < syllables; i++) {
            word.append("bcdfghjklmnpqrstvwxyz".charAt(random.nextInt(21)));
            word.append("aeiou".charAt(random.nextInt(5)));
            if (random.nextInt(3) == 0) {
                word.append("lnrst".charAt(random.nextInt(5)));
            }
        }
        return word.toString();
    }

    private static String capitalised(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    /** Any characters of any script, so that every byte has been seen. */
    private String junk() {
        StringBuilder junk = new StringBuilder();
        int length = random.nextInt(1, 9);
        while (junk.length() < length) {
            int point = random.nextInt(4) == 0 ? random.nextInt(0x110000) : random.nextInt(0x20, 0x3000);
            if (Character.isDefined(point) && !(point >= 0xd800 && point < 0xe000)) {
                junk.appendCodePoint(point);
            }
        }
        return junk.toString();
    }

    private String date() {
        return LocalDate.of(2025, 1, 1).plusDays(random.nextInt(4017)).toString();
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }
}
