use memchr::memchr2;

use super::DecodeError;

/// How deep objects and arrays may nest.
const DEPTH: usize = 10_000;

/// Finds the first JSON value (RFC 8259) of a body: all that is ever read of it. Whatever comes
/// after the value is not looked at, and a body of white space has none.
///
/// The text of strings is not looked at beyond what is needed to find their ends.
pub(super) fn first_value(body: &[u8]) -> Result<Option<&[u8]>, DecodeError> {
    let mut scanner = Scanner { body, at: 0 };
    scanner.skip_space();
    if scanner.at == body.len() {
        return Ok(None);
    }
    let start = scanner.at;
    scanner.value()?;
    Ok(Some(&body[start..scanner.at]))
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A value; or the end of the array that has just begun.
    Value { or_end: bool },
    /// A key; or the end of the object that has just begun.
    Key { or_end: bool },
    /// A comma, or the end of what is open.
    Separator,
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<(), DecodeError> {
        let mut open = Vec::new();
        let mut expected = Expected::Value { or_end: false };
        loop {
            if expected == Expected::Separator && open.is_empty() {
                return Ok(());
            }
            self.skip_space();
            let byte = self.next()?;
            expected = match (expected, byte) {
                (Expected::Value { .. }, b'{') => {
                    push(&mut open, Container::Object, byte)?;
                    Expected::Key { or_end: true }
                }
                (Expected::Value { .. }, b'[') => {
                    push(&mut open, Container::Array, byte)?;
                    Expected::Value { or_end: true }
                }
                (Expected::Value { or_end: true }, b']')
                | (Expected::Key { or_end: true }, b'}') => {
                    open.pop();
                    Expected::Separator
                }
                (Expected::Value { .. }, _) => {
                    self.scalar(byte)?;
                    Expected::Separator
                }
                (Expected::Key { .. }, b'"') => {
                    self.string()?;
                    self.skip_space();
                    match self.next()? {
                        b':' => Expected::Value { or_end: false },
                        other => return Err(unexpected(other, "after object key")),
                    }
                }
                (Expected::Key { .. }, _) => {
                    return Err(unexpected(
                        byte,
                        "looking for beginning of object key string",
                    ));
                }
                (Expected::Separator, _) => match (open.last(), byte) {
                    (Some(Container::Object), b',') => Expected::Key { or_end: false },
                    (Some(Container::Array), b',') => Expected::Value { or_end: false },
                    (Some(Container::Object), b'}') | (Some(Container::Array), b']') => {
                        open.pop();
                        Expected::Separator
                    }
                    (Some(Container::Object), _) => {
                        return Err(unexpected(byte, "after object key:value pair"));
                    }
                    _ => return Err(unexpected(byte, "after array element")),
                },
            };
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.body.get(self.at) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<u8, DecodeError> {
        let byte = *self.body.get(self.at).ok_or(DecodeError::Incomplete)?;
        self.at += 1;
        Ok(byte)
    }

    fn scalar(&mut self, first: u8) -> Result<(), DecodeError> {
        match first {
            b'"' => self.string(),
            b'-' => {
                let byte = self.next()?;
                self.number(byte)
            }
            b'0'..=b'9' => self.number(first),
            b't' => self.rest(&[
                (b'r', "in literal true (expecting 'r')"),
                (b'u', "in literal true (expecting 'u')"),
                (b'e', "in literal true (expecting 'e')"),
            ]),
            b'f' => self.rest(&[
                (b'a', "in literal false (expecting 'a')"),
                (b'l', "in literal false (expecting 'l')"),
                (b's', "in literal false (expecting 's')"),
                (b'e', "in literal false (expecting 'e')"),
            ]),
            b'n' => self.rest(&[
                (b'u', "in literal null (expecting 'u')"),
                (b'l', "in literal null (expecting 'l')"),
                (b'l', "in literal null (expecting 'l')"),
            ]),
            other => Err(unexpected(other, "looking for beginning of value")),
        }
    }

    fn rest(&mut self, letters: &[(u8, &'static str)]) -> Result<(), DecodeError> {
        for (letter, context) in letters {
            let byte = self.next()?;
            if byte != *letter {
                return Err(unexpected(byte, context));
            }
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), DecodeError> {
        loop {
            let rest = &self.body[self.at..];
            let end = memchr2(b'"', b'\\', rest);
            let plain = &rest[..end.unwrap_or(rest.len())];
            if let Some(control) = first_control(plain) {
                return Err(unexpected(control, "in string literal"));
            }
            let end = end.ok_or(DecodeError::Incomplete)?;
            self.at += end + 1;
            match rest[end] {
                b'"' => return Ok(()),
                _ => self.escape()?,
            }
        }
    }

    fn escape(&mut self) -> Result<(), DecodeError> {
        match self.next()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    let byte = self.next()?;
                    if !byte.is_ascii_hexdigit() {
                        return Err(unexpected(byte, "in \\u hexadecimal character escape"));
                    }
                }
                Ok(())
            }
            other => Err(unexpected(other, "in string escape code")),
        }
    }

    fn number(&mut self, first: u8) -> Result<(), DecodeError> {
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            other => return Err(unexpected(other, "in numeric literal")),
        }
        if self.body.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.body.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.body.get(self.at) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self, context: &'static str) -> Result<(), DecodeError> {
        let byte = self.next()?;
        if !byte.is_ascii_digit() {
            return Err(unexpected(byte, context));
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while let Some(b'0'..=b'9') = self.body.get(self.at) {
            self.at += 1;
        }
    }
}

/// The first byte that a string may not have as it is.
fn first_control(text: &[u8]) -> Option<u8> {
    let is_control = |byte: &u8| *byte < b' ';
    // Without a way out, the loop looks at many bytes at once.
    let has_any = text.iter().fold(false, |any, byte| any | is_control(byte));
    if has_any {
        text.iter().copied().find(is_control)
    } else {
        None
    }
}

fn push(open: &mut Vec<Container>, container: Container, byte: u8) -> Result<(), DecodeError> {
    if open.len() == DEPTH {
        return Err(unexpected(byte, "exceeded max depth"));
    }
    open.push(container);
    Ok(())
}

fn unexpected(found: u8, context: &'static str) -> DecodeError {
    DecodeError::Character { found, context }
}
