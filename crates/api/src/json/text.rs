use core::fmt;

/// A byte as Go quotes it in a complaint about JSON: as if it were a Latin-1 character.
pub(super) struct GoByte(pub(super) u8);

impl fmt::Display for GoByte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\'' => f.write_str(r"'\''"),
            b'"' => f.write_str(r#"'"'"#),
            byte => {
                f.write_str("'")?;
                write_character(f, char::from(byte))?;
                f.write_str("'")
            }
        }
    }
}

/// Bytes as Go's `%q` shows them.
pub(super) struct GoString<'a>(pub(super) &'a [u8]);

impl fmt::Display for GoString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                write_character(f, character)?;
            }
            for byte in chunk.invalid() {
                write!(f, r"\x{byte:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

fn write_character(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str(r"\\"),
        '\x07' => f.write_str(r"\a"),
        '\x08' => f.write_str(r"\b"),
        '\x0c' => f.write_str(r"\f"),
        '\n' => f.write_str(r"\n"),
        '\r' => f.write_str(r"\r"),
        '\t' => f.write_str(r"\t"),
        '\x0b' => f.write_str(r"\v"),
        '\0'..' ' | '\x7f' => write!(f, r"\x{:02x}", u32::from(character)),
        ' '..='~' => fmt::Write::write_char(f, character),
        _ if is_printable(character) => fmt::Write::write_char(f, character),
        '\u{10000}'.. => write!(f, r"\U{:08x}", u32::from(character)),
        _ => write!(f, r"\u{:04x}", u32::from(character)),
    }
}

/// What `Debug` shows unescaped is close to what Go calls printable; both follow Unicode's
/// categories.
fn is_printable(character: char) -> bool {
    character.escape_debug().len() == 1
}
