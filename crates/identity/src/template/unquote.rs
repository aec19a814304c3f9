/// The text of a Go string literal with its quotes (`"…"` or backquotes); none if it is not sound,
/// or is not UTF-8.
pub(super) fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\n' => return None,
            '\\' => escape(&mut rest, &mut bytes)?,
            other => push(&mut bytes, other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Reads what follows a backslash.
fn escape(rest: &mut core::str::Chars<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    match rest.next()? {
        'a' => bytes.push(0x07),
        'b' => bytes.push(0x08),
        'f' => bytes.push(0x0c),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        'v' => bytes.push(0x0b),
        '\\' => bytes.push(b'\\'),
        '"' => bytes.push(b'"'),
        'x' => bytes.push(u8::try_from(number(rest, 2, 16, 0)?).ok()?),
        'u' => push(bytes, char::from_u32(number(rest, 4, 16, 0)?)?),
        'U' => push(bytes, char::from_u32(number(rest, 8, 16, 0)?)?),
        first @ '0'..='7' => {
            let first = first.to_digit(8)?;
            bytes.push(u8::try_from(number(rest, 2, 8, first)?).ok()?);
        }
        _ => return None,
    }
    Some(())
}

fn number(rest: &mut core::str::Chars<'_>, digits: u32, radix: u32, begin: u32) -> Option<u32> {
    (0..digits).try_fold(begin, |value, _| {
        value
            .checked_mul(radix)?
            .checked_add(rest.next()?.to_digit(radix)?)
    })
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
}
