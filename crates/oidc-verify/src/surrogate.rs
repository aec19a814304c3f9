/// Puts `\uFFFD` for every escaped half of a surrogate pair that lacks its other half, as Go's
/// `encoding/json` reads it, and leaves all else of `json` as it is.
pub(crate) fn replace_lone_surrogates(json: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match escaped_unit(&json[at..]) {
            None => at += 2,
            Some(0xd800..=0xdbff)
                if matches!(escaped_unit(&json[at + 6..]), Some(0xdc00..=0xdfff)) =>
            {
                at += 12;
            }
            Some(0xd800..=0xdfff) => {
                json[at..at + 6].copy_from_slice(b"\\ufffd");
                at += 6;
            }
            Some(_) => at += 6,
        }
        if at >= json.len() {
            break;
        }
    }
}

/// The UTF-16 unit of the `\uXXXX` that `json` begins with.
fn escaped_unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::replace_lone_surrogates;

    fn replaced(json: &str) -> String {
        let mut bytes = json.as_bytes().to_vec();
        replace_lone_surrogates(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn replaces_each_half_without_its_other_half() {
        assert_eq!(replaced(r#""\ud83d""#), r#""\ufffd""#);
        assert_eq!(replaced(r#""\uDE00\ud83d""#), r#""\ufffd\ufffd""#);
        assert_eq!(
            replaced(r#""\ud83d\ud83d\ude00""#),
            r#""\ufffd\ud83d\ude00""#
        );
        assert_eq!(replaced(r#""\ud83dA""#), r#""\ufffdA""#);
    }

    #[test]
    fn leaves_all_else() {
        for json in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\u00e9\n""#,
            r#""\ud8"#,
            "\\",
            "",
        ] {
            assert_eq!(replaced(json), json);
        }
    }

    proptest! {
        #[test]
        fn makes_every_string_of_units_readable(units in proptest::collection::vec(any::<u16>(), 0..20)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let read: String = serde_json::from_str(&format!("\"{}\"", replaced(&escaped))).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn takes_any_bytes(mut bytes: Vec<u8>) {
            replace_lone_surrogates(&mut bytes);
        }
    }
}
