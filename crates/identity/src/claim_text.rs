//! Claims as the texts that templates see.

use serde_json::{Number, Value};

/// The text of a claim. Numbers have neither an exponent nor, if they are whole, a fraction.
/// Fulcio holds them as floats, so beyond 2^53 they are what the nearest float is.
pub(crate) fn text_of(claim: &Value) -> String {
    match claim {
        // Rust writes a float with as few digits as tell it apart, and never with an exponent.
        Value::Number(number) => float(number).to_string(),
        other => {
            let mut text = String::new();
            write_value(other, &mut text);
            text
        }
    }
}

fn float(number: &Number) -> f64 {
    // Every number that was read from JSON is within the range of a float.
    number.as_f64().unwrap_or(f64::NAN)
}

/// Writes a value as Go's `%v` does: `[a b]`, `map[key:value]`, `<nil>`.
fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&shortest(float(number))),
        Value::String(value) => text.push_str(value),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(' ');
                }
                write_value(item, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            text.push_str("map[");
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(' ');
                }
                text.push_str(key);
                text.push(':');
                write_value(item, text);
            }
            text.push(']');
        }
    }
}

/// A float inside another value: with an exponent below 10^-4 and from 10^6 on.
fn shortest(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go's `fmt` writes.
    #[test]
    fn claims_are_written_as_go_writes_them() {
        for (json, expected) in [
            (r#""a b""#, "a b"),
            ("true", "true"),
            ("null", "<nil>"),
            ("0", "0"),
            ("-0", "-0"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("-12.50", "-12.5"),
            ("0.0000001", "0.0000001"),
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709552000"),
            ("18446744073709551616", "18446744073709552000"),
            (
                "123456789012345678901234567890",
                "123456789012345680000000000000",
            ),
            ("1e21", "1000000000000000000000"),
            ("1e-7", "0.0000001"),
            ("[]", "[]"),
            ("{}", "map[]"),
            (
                r#"["a",1,null,true,[1.5,"b c"]]"#,
                "[a 1 <nil> true [1.5 b c]]",
            ),
            (
                r#"{"b":1,"a":{"c":[]},"B":"x"}"#,
                "map[B:x a:map[c:[]] b:1]",
            ),
            (
                "[1e5,999999,1e6,1234567,12345678901234567890,1e21,1e-4,1e-5,1.25e-7,0.1,-0.0,1e300]",
                "[100000 999999 1e+06 1.234567e+06 1.2345678901234567e+19 1e+21 0.0001 1e-05 \
                 1.25e-07 0.1 -0 1e+300]",
            ),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(text_of(&value), expected, "{json}");
        }
    }
}
