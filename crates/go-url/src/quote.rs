use core::fmt::Write as _;

/// Writes `text` as Go's `%q` does: between double quotes, with escapes for what cannot be printed
/// and for bytes that are not UTF-8.
#[must_use]
pub fn quote(text: &[u8]) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut quoted, c);
        }
        for byte in chunk.invalid() {
            push_hex(&mut quoted, *byte);
        }
    }
    quoted.push('"');
    quoted
}

fn push(quoted: &mut String, c: char) {
    match c {
        '"' => quoted.push_str("\\\""),
        '\\' => quoted.push_str("\\\\"),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        _ if is_printable(c) => quoted.push(c),
        '\0'..=' ' | '\x7f' => push_hex(quoted, c as u8),
        // Writing to a String cannot fail.
        '\0'..='\u{ffff}' => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
        _ => _ = write!(quoted, "\\U{:08x}", u32::from(c)),
    }
}

fn push_hex(quoted: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    _ = write!(quoted, "\\x{byte:02x}");
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space. The standard library knows
/// them, but tells it only in the text of `Debug`; a letter goes before, because it also escapes
/// marks that would change a quote.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let Ok(text) = core::str::from_utf8(&buffer[..length]) else {
        return false;
    };
    text.escape_debug().nth(1) == Some(c)
}
