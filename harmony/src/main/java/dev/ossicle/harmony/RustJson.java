package dev.ossicle.harmony;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Compact JSON with numbers as Rust's serde_json writes them: 10, 1.0, 1e20. */
final class RustJson {
    private static final BigInteger MIN_I64 = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_U64 = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private RustJson() {}

    static String write(Json value) {
        return rewritten(value).toString();
    }

    private static Json rewritten(Json value) {
        return switch (value) {
            case JsonNumber number -> new JsonNumber(number(number));
            case JsonArray array ->
                Json.of(array.elements().stream().map(RustJson::rewritten).toList());
            case JsonObject object -> {
                Map<String, Json> members = new LinkedHashMap<>();
                object.members().forEach((name, member) -> members.put(name, rewritten(member)));
                yield Json.of(members);
            }
            default -> value;
        };
    }

    static String number(JsonNumber number) {
        if (number.isInteger() && !number.text().equals("-0") && fits64Bits(number.text())) {
            return number.text();
        }
        double value = number.doubleValue();
        // serde_json refuses a number that no double can hold; its text is the best answer to a schema that has one.
        return Double.isFinite(value) ? shortest(value) : number.text();
    }

    private static boolean fits64Bits(String integer) {
        if (integer.length() > 20) {
            return false;
        }
        BigInteger value = new BigInteger(integer);
        return value.compareTo(MIN_I64) >= 0 && value.compareTo(MAX_U64) <= 0;
    }

    /** The shortest digits that read back as the value, laid out as the ryu crate does. */
    private static String shortest(double value) {
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
        String digits = decimal.unscaledValue().toString();
        int exponent = -decimal.scale();
        if (digits.length() == 2) {
            // Java never gives less than two digits, where one may do: the smallest double is 5e-324.
            BigDecimal one = decimal.round(new MathContext(1, RoundingMode.HALF_UP));
            if (one.doubleValue() == Math.abs(value)) {
                digits = one.unscaledValue().toString();
                exponent = -one.scale();
            }
        }
        String sign = value < 0 ? "-" : "";
        int point = digits.length() + exponent; // how many digits stand before the decimal point
        if (exponent >= 0 && point <= 16) {
            return sign + digits + "0".repeat(exponent) + ".0";
        }
        if (point > 0 && point <= 16) {
            return sign + digits.substring(0, point) + "." + digits.substring(point);
        }
        if (point > -5 && point <= 0) {
            return sign + "0." + "0".repeat(-point) + digits;
        }
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return sign + mantissa + "e" + (point - 1);
    }
}
