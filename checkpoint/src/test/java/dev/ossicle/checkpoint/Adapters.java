package dev.ossicle.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Writes LoRA adapters as PEFT saves them. */
public final class Adapters {
    /** @param values [rows, columns] */
    public record Factor(int rows, int columns, float[] values) {}

    private Adapters() {}

    /** All four projections of each layer changed, by about as much as they are. */
    public static Map<String, Factor> random(ModelConfig config, int rank, long seed) {
        Random random = new Random(seed);
        Map<String, Factor> factors = new LinkedHashMap<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            put(factors, layer, "q", config.queryWidth(), config.hidden(), rank, random);
            put(factors, layer, "k", config.kvWidth(), config.hidden(), rank, random);
            put(factors, layer, "v", config.kvWidth(), config.hidden(), rank, random);
            put(factors, layer, "o", config.hidden(), config.queryWidth(), rank, random);
        }
        return factors;
    }

    private static void put(
            Map<String, Factor> factors, int layer, String projection, int rows, int columns, int rank, Random random) {
        factors.put(name(layer, projection, "A"), factor(rank, columns, 1 / Math.sqrt(columns), random));
        factors.put(name(layer, projection, "B"), factor(rows, rank, 1 / Math.sqrt(rank), random));
    }

    public static String name(int layer, String projection, String factor) {
        return "base_model.model.model.layers." + layer + ".self_attn." + projection + "_proj.lora_" + factor
                + ".weight";
    }

    private static Factor factor(int rows, int columns, double deviation, Random random) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return new Factor(rows, columns, values);
    }

    /** @param config the content of adapter_config.json */
    public static Path write(Path folder, String config, Map<String, Factor> factors) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("adapter_config.json"), config);
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        int bytes = 0;
        for (var factor : factors.entrySet()) {
            int length = 4 * factor.getValue().values().length;
            header.append(",\"%s\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}"
                    .formatted(
                            factor.getKey(),
                            factor.getValue().rows(),
                            factor.getValue().columns(),
                            bytes,
                            bytes + length));
            bytes += length;
        }
        byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(text.length).put(text);
        factors.values().forEach(factor -> {
            for (float value : factor.values()) {
                file.putFloat(value);
            }
        });
        Files.write(folder.resolve("adapter_model.safetensors"), file.array());
        return folder;
    }
}
