package dev.ossicle.chat;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Functions from the methods of an object.
 *
 * <pre>{@code
 * public class Weather {
 *     @ToolFunction("The weather in a city")
 *     public Forecast forecast(@ToolFunction.Parameter("Name of the city") String city) { ... }
 * }
 * chat.tools(AnnotatedTools.of(new Weather()));
 * }</pre>
 */
public final class AnnotatedTools {
    private AnnotatedTools() {}

    /**
     * One function for each method that has {@link ToolFunction}, by name. What a method returns is told as JSON, a string as
     * it is.
     *
     * @throws IllegalArgumentException if there is none, or a parameter's name is not known
     */
    public static List<Tool> of(Object object) {
        List<Tool> tools = new ArrayList<>();
        for (Method method : object.getClass().getMethods()) {
            ToolFunction function = method.getAnnotation(ToolFunction.class);
            if (function != null) {
                tools.add(tool(object, method, function));
            }
        }
        if (tools.isEmpty()) {
            throw new IllegalArgumentException(
                    object.getClass().getName() + " has no public method with @ToolFunction");
        }
        tools.sort(Comparator.comparing(Tool::name)); // reflection has no order of its own
        return List.copyOf(tools);
    }

    private static Tool tool(Object object, Method method, ToolFunction function) {
        method.setAccessible(true); // a public method of a class that need not be public
        String name = function.name().isEmpty() ? method.getName() : function.name();
        Parameter[] parameters = method.getParameters();
        JsonObject.Builder properties = JsonObject.builder();
        List<Json> required = new ArrayList<>();
        for (Parameter parameter : parameters) {
            properties.put(name(parameter), schema(parameter));
            required.add(Json.of(name(parameter)));
        }
        Json schema = parameters.length == 0
                ? null
                : JsonObject.builder()
                        .put("type", "object")
                        .put("properties", properties.build())
                        .put("required", Json.of(required))
                        .put("additionalProperties", JsonBoolean.FALSE)
                        .build();
        return new Tool(new ToolDescription(name, function.value(), schema), arguments -> {
            Object[] values = new Object[parameters.length];
            for (int i = 0; i < parameters.length; i++) {
                Json value = arguments.get(name(parameters[i]));
                if (value == null) {
                    throw new IllegalArgumentException("the argument " + name(parameters[i]) + " is missing");
                }
                values[i] = JavaTypes.instance(value.toString(), parameters[i].getParameterizedType());
            }
            return call(object, method, values);
        });
    }

    private static String call(Object object, Method method, Object[] values) throws Exception {
        try {
            return JavaTypes.text(method.invoke(object, values));
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static String name(Parameter parameter) {
        ToolFunction.Parameter given = parameter.getAnnotation(ToolFunction.Parameter.class);
        if (given != null && !given.name().isEmpty()) {
            return given.name();
        }
        if (!parameter.isNamePresent()) {
            throw new IllegalArgumentException("a parameter of " + parameter.getDeclaringExecutable()
                    + " has no name: compile with -parameters, or give it with @ToolFunction.Parameter(name = ...)");
        }
        return parameter.getName();
    }

    private static Json schema(Parameter parameter) {
        JsonObject schema = (JsonObject) JavaTypes.schema(parameter.getParameterizedType());
        ToolFunction.Parameter given = parameter.getAnnotation(ToolFunction.Parameter.class);
        if (given == null) {
            return schema;
        }
        JsonObject.Builder described = JsonObject.builder();
        schema.members().forEach(described::put);
        return described.put("description", given.value()).build();
    }
}
