//! Percent-encoding (RFC 3986 section 2.1), with Go's choice of characters.

use crate::Cause;

/// The part of a URL that a text stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Fragment,
    Host,
    Path,
    UserInfo,
    /// The zone of an IPv6 address (RFC 6874).
    Zone,
}

impl Part {
    /// Whether `byte` is written as it is.
    fn allows(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            return true;
        }
        match self {
            Self::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
            Self::Host | Self::Zone => b"!$&'()*+,;=:[]<>\"".contains(&byte),
            Self::Path => b"$&+,/:;=@".contains(&byte),
            Self::UserInfo => b"$&+,;=".contains(&byte),
        }
    }

    /// Whether `text` could be an encoding that somebody else has chosen.
    pub(crate) fn tolerates(self, text: &str) -> bool {
        text.bytes()
            .all(|byte| self.allows(byte) || b"!$&'()*+,;=:@[]%".contains(&byte))
    }
}

pub(crate) fn escape(bytes: &[u8], part: Part) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = String::with_capacity(bytes.len());
    for &byte in bytes {
        if part.allows(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push(char::from(DIGITS[usize::from(byte >> 4)]));
            escaped.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    escaped
}

pub(crate) fn unescape(text: &str, part: Part) -> Result<Vec<u8>, Cause> {
    let bytes = text.as_bytes();
    let in_host = matches!(part, Part::Host | Part::Zone);
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            if in_host && byte.is_ascii() && !part.allows(byte) {
                return Err(Cause::HostCharacter(byte));
            }
            unescaped.push(byte);
            at += 1;
            continue;
        }
        let triple = &bytes[at..bytes.len().min(at + 3)];
        let value = escaped_byte(triple).ok_or_else(|| Cause::Escape(triple.to_vec()))?;
        let allowed = match part {
            _ if triple == b"%25" => true,
            Part::Host => value >= 0x80,
            Part::Zone => value == b' ' || Part::Host.allows(value),
            Part::Fragment | Part::Path | Part::UserInfo => true,
        };
        if !allowed {
            return Err(Cause::Escape(triple.to_vec()));
        }
        unescaped.push(value);
        at += 3;
    }
    Ok(unescaped)
}

/// The byte that `%XX` stands for.
fn escaped_byte(triple: &[u8]) -> Option<u8> {
    let &[b'%', high, low] = triple else {
        return None;
    };
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_unescaped_again() {
        let all: Vec<u8> = (0..=255).collect();
        for part in [Part::Fragment, Part::Path, Part::UserInfo] {
            let escaped = escape(&all, part);
            assert!(part.tolerates(&escaped));
            assert_eq!(unescape(&escaped, part), Ok(all.clone()), "{part:?}");
        }
    }
}
