package dev.ossicle.chat;

import com.github.victools.jsonschema.generator.FieldScope;
import com.github.victools.jsonschema.generator.Option;
import com.github.victools.jsonschema.generator.OptionPreset;
import com.github.victools.jsonschema.generator.SchemaGenerator;
import com.github.victools.jsonschema.generator.SchemaGeneratorConfigBuilder;
import com.github.victools.jsonschema.generator.SchemaVersion;
import dev.ossicle.json.Json;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Java types as JSON Schemas, and JSON as their instances. */
final class JavaTypes {
    private record Range(long min, long max) {}

    private static final Map<Class<?>, Range> RANGES = Map.of(
            byte.class, new Range(Byte.MIN_VALUE, Byte.MAX_VALUE),
            Byte.class, new Range(Byte.MIN_VALUE, Byte.MAX_VALUE),
            short.class, new Range(Short.MIN_VALUE, Short.MAX_VALUE),
            Short.class, new Range(Short.MIN_VALUE, Short.MAX_VALUE),
            int.class, new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
            Integer.class, new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
            long.class, new Range(Long.MIN_VALUE, Long.MAX_VALUE),
            Long.class, new Range(Long.MIN_VALUE, Long.MAX_VALUE));

    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final SchemaGenerator GENERATOR = generator();

    private JavaTypes() {}

    private static SchemaGenerator generator() {
        SchemaGeneratorConfigBuilder config = new SchemaGeneratorConfigBuilder(
                        SchemaVersion.DRAFT_2020_12, OptionPreset.PLAIN_JSON)
                .with(Option.FORBIDDEN_ADDITIONAL_PROPERTIES_BY_DEFAULT, Option.FLATTENED_OPTIONALS)
                .without(Option.SCHEMA_VERSION_INDICATOR);
        config.forFields()
                .withRequiredCheck(field -> !isOptional(field))
                .withDescriptionResolver(JavaTypes::description);
        // Without bounds a model may well write a number that is valid JSON and no int.
        config.forTypesInGeneral().withTypeAttributeOverride((node, scope, context) -> {
            Range range = RANGES.get(scope.getType().getErasedType());
            if (range != null) {
                node.put("type", "integer").put("minimum", range.min).put("maximum", range.max);
            }
        });
        // In the order of the record, not of the alphabet: a model writes better what it can think of in sequence.
        config.forTypesInGeneral().withPropertySorter((a, b) -> 0);
        return new SchemaGenerator(config.build());
    }

    private static boolean isOptional(FieldScope field) {
        return field.getRawMember().getType() == Optional.class
                || field.getRawMember().getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    private static @Nullable String description(FieldScope field) {
        ToolFunction.Parameter parameter = field.getAnnotation(ToolFunction.Parameter.class);
        return parameter == null ? null : parameter.value();
    }

    /** A JSON Schema of the type: all members required but {@code Optional} and {@code @Nullable} ones, no others allowed. */
    static Json schema(Type type) {
        return Json.parse(GENERATOR.generateSchema(type).toString());
    }

    /**
     * An instance of the type.
     *
     * @throws ChatException if the JSON does not fit
     */
    static Object instance(String json, Type type) {
        try {
            return MAPPER.readValue(json, MAPPER.getTypeFactory().constructType(type));
        } catch (JacksonException e) {
            throw new ChatException(
                    "this does not fit " + type.getTypeName() + ": " + e.getOriginalMessage() + " in " + json, e);
        }
    }

    /** The value as JSON, or as it is if it is a string. */
    static String text(@Nullable Object value) {
        return value instanceof String text ? text : MAPPER.writeValueAsString(value);
    }
}
