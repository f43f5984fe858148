package dev.ossicle.chat;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a public method as a function that the model may call; see {@link AnnotatedTools}. Its parameters' names are those
 * that the compiler kept ({@code -parameters}) or that {@link Parameter} gives.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface ToolFunction {
    /** What the model is told about the function. */
    String value();

    /** The function's name; the method's if empty. */
    String name() default "";

    /** What the model is told about a parameter. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.PARAMETER, ElementType.FIELD})
    @interface Parameter {
        String value();

        /** The parameter's name; the one in the class file if empty. */
        String name() default "";
    }
}
