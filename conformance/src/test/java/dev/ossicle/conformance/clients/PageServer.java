package dev.ossicle.conformance.clients;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.server.Scripted;
import dev.ossicle.server.ServerOptions;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/** A server for the page to be tried with: its model does what the scenarios in {@code clients/web} ask for. */
final class PageServer implements AutoCloseable {
    private static final Pattern USER =
            Pattern.compile("<\\|start\\|>user<\\|message\\|>(.*?)<\\|end\\|>", Pattern.DOTALL);
    private static final Pattern EFFORT = Pattern.compile("Reasoning: (\\w+)");
    private static final Pattern PRINTED = Pattern.compile(
            "<\\|start\\|>python to=assistant<\\|channel\\|>analysis<\\|message\\|>(.*?)<\\|end\\|>", Pattern.DOTALL);

    /** A token at a time that one can see. */
    private static final Duration SLOWLY = Duration.ofMillis(3);

    private static final String PROGRAM = """
            import numpy as np, matplotlib.pyplot as plt

            t = np.linspace(1, 380, 400)
            wave = np.sin(t / 30) * np.exp(-t / 180)  # damped
            plt.plot(t, wave)
            plt.savefig("plot.png")
            print((np.diff(np.sign(wave)) != 0).sum())""";

    private final Scripted scripted;
    private volatile boolean slow;

    PageServer(List<String> keys) throws IOException {
        scripted = new Scripted(
                ServerOptions.DEFAULT.withKeys(keys),
                EngineOptions.DEFAULT,
                true,
                new BuiltIns(Map.of(BuiltIns.CODE_INTERPRETER, Python::new)));
        scripted.runner.author(prompt -> Scripted.tokens(answer(Scripted.TOKENIZER.decode(prompt))));
        scripted.runner.beforeForward(() -> {
            if (slow) {
                LockSupport.parkNanos(SLOWLY.toNanos());
            }
        });
    }

    String address() {
        return scripted.server.address();
    }

    private String answer(String prompt) {
        String asked = "";
        int questions = 0;
        int end = 0;
        for (Matcher each = USER.matcher(prompt); each.find(); end = each.end()) {
            asked = each.group(1);
            questions++;
        }
        slow = asked.equals("count slowly");
        Matcher printed = PRINTED.matcher(prompt);
        if (printed.find(end)) {
            return says("It crosses zero " + printed.group(1) + " times while it dies away.");
        }
        return switch (asked) {
            case "count slowly" ->
                says(IntStream.range(0, 9999).mapToObj(Integer::toString).collect(Collectors.joining(" ")));
            case "Plot a damped wave. How often does it cross zero?" ->
                prompt.contains("## python")
                        ? "<|channel|>analysis<|message|>I compute it.<|end|><|start|>assistant to=python<|channel|>analysis code"
                                + "<|message|>" + PROGRAM + "<|call|>"
                        : says("No python here.");
            case "Which effort?" -> {
                Matcher effort = EFFORT.matcher(prompt);
                yield says("The effort is " + (effort.find() ? effort.group(1) : "unknown") + ".");
            }
            case "as JSON" -> says("{\"said\": \"as JSON\"}");
            default -> says("Question " + questions + ": You said " + asked + ".");
        };
    }

    private static String says(String text) {
        return "<|channel|>analysis<|message|>The user speaks.<|end|><|start|>assistant<|channel|>final<|message|>"
                + text + "<|return|>";
    }

    @Override
    public void close() {
        slow = false;
        scripted.close();
    }

    /** Gives the program's answer, and its plot. */
    private static final class Python implements ToolSession {
        private static final byte[] PLOT = plot();

        private static byte[] plot() {
            BufferedImage image = new BufferedImage(420, 200, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = image.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
            graphics.setColor(Color.LIGHT_GRAY);
            graphics.drawLine(20, 180, 400, 180);
            graphics.drawLine(20, 20, 20, 180);
            graphics.setColor(new Color(0x0F5F63));
            graphics.setStroke(new BasicStroke(2.5f));
            for (int x = 20; x < 400; x++) {
                graphics.drawLine(x, height(x), x + 1, height(x + 1));
            }
            graphics.dispose();
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            try {
                ImageIO.write(image, "png", png);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return png.toByteArray();
        }

        private static int height(int x) {
            return (int) (100 - 70 * Math.sin((x - 20) / 30.0) * Math.exp(-(x - 20) / 180.0));
        }

        @Override
        public ToolNamespace namespace() {
            return ToolNamespace.python();
        }

        @Override
        public ToolOutput call(String function, String body) {
            return new ToolOutput("4", false, List.of(new ToolFile("plot.png", PLOT.length)), List.of());
        }

        @Override
        public byte[] file(String name) {
            return PLOT.clone();
        }

        @Override
        public void close() {}
    }

    /** The server by itself, to look at the page while one works on it; a key if one is given. */
    public static void main(String[] keys) throws Exception {
        try (PageServer server = new PageServer(List.of(keys))) {
            System.out.println(server.address());
            new CountDownLatch(1).await();
        }
    }
}
