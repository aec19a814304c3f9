use crate::Malformed;

/// How long a token may be, in bytes: 2 MiB.
pub(crate) const LONGEST: usize = 2 << 20;

/// How many values may be in the header, and in the payload, at whatever depth.
pub(crate) const VALUES: usize = 50_000;

/// How deep arrays and objects may stand in each other: what `serde_json` follows.
#[cfg(test)]
const DEPTH: usize = 127;

/// Refuses a document with more values than anybody needs, before anything is built up from it: each costs many times
/// its length in memory, and nobody has vouched for the document yet.
///
/// What is not JSON passes; whoever reads it finds out.
pub(crate) fn bounded(json: &[u8]) -> Result<(), Malformed> {
    // A value takes two bytes, with what stands between it and the next one.
    if json.len() > 2 * VALUES && values(json) > VALUES {
        return Err(Malformed::TooManyValues { limit: VALUES });
    }
    Ok(())
}

/// At least as many as there are values.
fn values(json: &[u8]) -> usize {
    let mut values = 1;
    let mut bytes = json.iter();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => _ = bytes.next(),
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use serde_json::{Map, Value};

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            r#"[a,"\\\[{}:]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 100, 8, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..8).prop_map(Value::from),
                vec((r#"[a,"\\\[]{0,4}"#, inner), 0..8)
                    .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn counted(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(counted).sum(),
            Value::Object(members) => members.values().map(counted).sum(),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn no_value_is_missed_and_none_is_counted_twice(value in json()) {
            let (all, found) = (counted(&value), values(value.to_string().as_bytes()));
            prop_assert!(all <= found && found <= 2 * all, "{value}: {found}");
        }
    }

    #[test]
    fn a_document_of_the_length_that_is_not_counted_cannot_have_more_values() {
        let most = format!("[{}0]", "0,".repeat(VALUES - 2));
        assert!(most.len() < 2 * VALUES);
        assert_eq!(counted(&serde_json::from_str(&most).unwrap()), VALUES);
    }

    #[test]
    fn readers_follow_so_deep_and_no_deeper() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(serde_json::from_str::<Value>(&nested(DEPTH)).is_ok());
        assert!(serde_json::from_str::<Value>(&nested(DEPTH + 1)).is_err());
    }
}
