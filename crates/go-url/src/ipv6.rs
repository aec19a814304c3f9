use crate::quote;

/// Why a text is no IP address, in the words of Go's `net/netip`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ParseAddr({}): {message}{}", quote(.text), At(.at))]
pub struct AddressError {
    text: Vec<u8>,
    message: &'static str,
    /// Where it went wrong, empty if that is nowhere in particular.
    at: Vec<u8>,
}

struct At<'a>(&'a [u8]);

impl core::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (at {})", quote(self.0))
    }
}

/// Which kind of address a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Reads an IPv4 address, or an IPv6 address that may have a zone.
pub(crate) fn parse_address(text: &[u8]) -> Result<Family, AddressError> {
    match text.iter().find(|c| b".:%".contains(c)) {
        Some(b'.') => v4(text, text).map(|()| Family::V4),
        Some(b':') => v6(text).map(|()| Family::V6),
        Some(_) => Err(error(text, "missing IPv6 address", b"")),
        None => Err(error(text, "unable to parse IP", b"")),
    }
}

fn error(text: &[u8], message: &'static str, at: &[u8]) -> AddressError {
    AddressError {
        text: text.to_vec(),
        message,
        at: at.to_vec(),
    }
}

/// Reads `part` of `text` as four decimal numbers.
fn v4(text: &[u8], part: &[u8]) -> Result<(), AddressError> {
    let fail = |message, at| Err(error(text, message, at));
    let (mut value, mut digits, mut dots) = (0, 0, 0);
    for (at, &c) in part.iter().enumerate() {
        match c {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return fail("IPv4 field has octet with leading zero", b"");
                }
                value = value * 10 + u32::from(c - b'0');
                digits += 1;
                if value > 255 {
                    return fail("IPv4 field has value >255", b"");
                }
            }
            b'.' if digits == 0 || at + 1 == part.len() => {
                return fail("IPv4 field must have at least one digit", &part[at..]);
            }
            b'.' if dots == 3 => return fail("IPv4 address too long", b""),
            b'.' => (value, digits, dots) = (0, 0, dots + 1),
            _ => return fail("unexpected character", &part[at..]),
        }
    }
    if dots < 3 {
        return fail("IPv4 address too short", b"");
    }
    Ok(())
}

fn v6(text: &[u8]) -> Result<(), AddressError> {
    let fail = |message, at| Err(error(text, message, at));
    let mut rest = text;
    if let Some(zone) = text.iter().position(|c| *c == b'%') {
        rest = &text[..zone];
        if zone + 1 == text.len() {
            return fail("zone must be a non-empty string", b"");
        }
    }
    let mut fields = 0;
    let mut has_ellipsis = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        has_ellipsis = true;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
    while fields < 8 {
        let is_digit = |c: &&u8| c.is_ascii_hexdigit();
        let digits = rest.iter().take_while(is_digit).count();
        if digits > 4 {
            return fail("each group must have 4 or less digits", rest);
        }
        if digits == 0 {
            return fail(
                "each colon-separated field must have at least one digit",
                rest,
            );
        }
        if rest.get(digits) == Some(&b'.') {
            if !has_ellipsis && fields != 6 {
                return fail(
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    rest,
                );
            }
            if fields > 6 {
                return fail(
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    rest,
                );
            }
            v4(text, rest)?;
            rest = b"";
            fields += 2;
            break;
        }
        fields += 1;
        rest = &rest[digits..];
        match rest {
            [] => break,
            [b':'] => return fail("colon must be followed by more characters", rest),
            [b':', after @ ..] => rest = after,
            _ => return fail("unexpected character, want colon", rest),
        }
        if let Some(after) = rest.strip_prefix(b":") {
            if has_ellipsis {
                return fail("multiple :: in address", rest);
            }
            has_ellipsis = true;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return fail("trailing garbage after address", rest);
    }
    match (fields < 8, has_ellipsis) {
        (true, false) => fail("address string too short", b""),
        (false, true) => fail("the :: must expand to at least one field of zeros", b""),
        _ => Ok(()),
    }
}
