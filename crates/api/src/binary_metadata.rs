/// Where metadata of bytes stops to be base64 (RFC 4648 section 4), which is padded when that makes
/// whole groups of four.
pub(crate) fn not_base64(value: &[u8]) -> Option<usize> {
    let is_padded = value.len().is_multiple_of(4);
    let bad = value
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')));
    let Some(at) = bad else {
        return (value.len() % 4 == 1).then(|| value.len() - 1);
    };
    if !is_padded || value[at] != b'=' {
        return Some(at);
    }
    let end = match at % 4 {
        2 if value[at + 1] == b'=' => at + 2,
        3 => at + 1,
        _ => return Some(at),
    };
    (end < value.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places are those of Go's `encoding/base64`.
    #[test]
    fn what_is_not_base64_is_found_where_go_finds_it() {
        for (value, expected) in [
            ("", None),
            ("AQID", None),
            ("AQ", None),
            ("AQ==", None),
            ("AQI=", None),
            ("not base64!", Some(3)),
            ("A", Some(0)),
            ("AQIDA", Some(4)),
            ("A===", Some(1)),
            ("AQ=D", Some(2)),
            ("AQ==AQ==", Some(4)),
            ("AQ=", Some(2)),
            ("_-==", Some(0)),
        ] {
            assert_eq!(not_base64(value.as_bytes()), expected, "{value}");
        }
    }
}
