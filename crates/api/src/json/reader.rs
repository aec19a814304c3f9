use std::borrow::Cow;

use memchr::memchr2;

use super::{DecodeError, Position, bytes, int32};

/// Reads a message out of a JSON value whose syntax is known to be right.
///
/// What is read here and not by the syntax is the text of strings, and which fields there are.
pub(super) struct Reader<'a> {
    value: &'a [u8],
    at: usize,
}

/// The name of a field, and where it is.
pub(super) struct Name<'a> {
    pub(super) text: Cow<'a, str>,
    at: usize,
    end: usize,
}

/// The fields of one message that have been read.
#[derive(Default)]
pub(super) struct Seen {
    fields: u32,
    oneof: bool,
}

/// The range of a string's bytes, quotes included, and what it says.
struct Text<'a> {
    text: Cow<'a, str>,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { value, at: 0 }
    }

    /// Goes into a message.
    pub(super) fn open(&mut self) -> Result<(), DecodeError> {
        self.skip_space();
        match self.peek() {
            b'{' => {
                self.at += 1;
                Ok(())
            }
            _ => {
                let token = self.token()?;
                Err(DecodeError::Token {
                    at: self.position(token.0),
                    token: self.raw(token.0, token.1),
                })
            }
        }
    }

    /// The name of the next field, or `None` at the end of the message.
    pub(super) fn name(&mut self) -> Result<Option<Name<'a>>, DecodeError> {
        self.skip_to_token();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(None);
        }
        let Text { text, at } = self.text()?;
        let end = self.at;
        self.skip_to_token();
        Ok(Some(Name { text, at, end }))
    }

    /// Whether a field that is known has a value. `number` is its number.
    pub(super) fn is_given(
        &mut self,
        name: &Name<'_>,
        number: u32,
        seen: &mut Seen,
    ) -> Result<bool, DecodeError> {
        let bit = 1 << number;
        if seen.fields & bit != 0 {
            return Err(DecodeError::Duplicate {
                at: self.position(name.at),
                field: self.raw(name.at, name.end),
            });
        }
        seen.fields |= bit;
        if self.peek() == b'n' {
            self.token()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// As [`is_given`](Self::is_given), for a field of the message's only oneof.
    pub(super) fn is_chosen(
        &mut self,
        name: &Name<'_>,
        number: u32,
        seen: &mut Seen,
        oneof: &'static str,
    ) -> Result<bool, DecodeError> {
        if !self.is_given(name, number, seen)? {
            return Ok(false);
        }
        if seen.oneof {
            return Err(DecodeError::AlreadySet {
                at: self.position(name.at),
                field: self.raw(name.at, name.end),
                oneof,
            });
        }
        seen.oneof = true;
        Ok(true)
    }

    /// The value of a `string` field.
    pub(super) fn string(&mut self, field: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        if self.peek() == b'"' {
            Ok(self.text()?.text)
        } else {
            Err(self.wrong("string", field)?)
        }
    }

    /// The value of a `bytes` field.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<Vec<u8>, DecodeError> {
        if self.peek() != b'"' {
            return Err(self.wrong("bytes", field)?);
        }
        let Text { text, at } = self.text()?;
        bytes::decode(&text).ok_or_else(|| DecodeError::Value {
            at: self.position(at),
            kind: "bytes",
            field,
            value: self.raw(at, self.at),
        })
    }

    /// Passes over the value of an enum field: any name will do, known or not, and any number
    /// that is a 32-bit integer.
    pub(super) fn skip_enum(&mut self, field: &'static str) -> Result<(), DecodeError> {
        match self.peek() {
            b'"' => self.text().map(drop),
            b'-' | b'0'..=b'9' => {
                let (at, end) = self.token()?;
                if int32::is_one(&self.value[at..end]) {
                    Ok(())
                } else {
                    Err(DecodeError::Value {
                        at: self.position(at),
                        kind: "enum",
                        field,
                        value: self.raw(at, end),
                    })
                }
            }
            _ => Err(self.wrong("enum", field)?),
        }
    }

    /// Passes over the value of a field that is not known.
    pub(super) fn skip(&mut self) -> Result<(), DecodeError> {
        let mut open = 0_usize;
        loop {
            let (at, _) = self.token()?;
            match self.value[at] {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
            self.skip_to_token();
        }
    }

    /// The byte at hand; there is always one before a message has been read to its end.
    fn peek(&self) -> u8 {
        self.value.get(self.at).copied().unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.value.get(self.at) {
            self.at += 1;
        }
    }

    fn skip_to_token(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') = self.value.get(self.at) {
            self.at += 1;
        }
    }

    /// Passes over one token, and says from where to where it is.
    fn token(&mut self) -> Result<(usize, usize), DecodeError> {
        let at = self.at;
        match self.peek() {
            b'"' => {
                self.text()?;
            }
            b'{' | b'}' | b'[' | b']' => self.at += 1,
            _ => {
                let length = self.value[at..]
                    .iter()
                    .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'E' | b'+' | b'-' | b'.'))
                    .unwrap_or(self.value.len() - at);
                self.at += length;
            }
        }
        Ok((at, self.at))
    }

    fn wrong(
        &mut self,
        kind: &'static str,
        field: &'static str,
    ) -> Result<DecodeError, DecodeError> {
        let (at, end) = self.token()?;
        Ok(DecodeError::Value {
            at: self.position(at),
            kind,
            field,
            value: self.raw(at, end),
        })
    }

    /// Reads a string.
    fn text(&mut self) -> Result<Text<'a>, DecodeError> {
        let at = self.at;
        let content = at + 1;
        let mut end = self.stop(content);
        if self.value[end] == b'"' {
            let text =
                str::from_utf8(&self.value[content..end]).map_err(|_invalid| self.not_utf8(at))?;
            self.at = end + 1;
            return Ok(Text {
                text: Cow::Borrowed(text),
                at,
            });
        }
        let mut text = String::with_capacity(end - content + 64);
        let mut run = content;
        loop {
            match self.value[end] {
                b'"' => break,
                _ => {
                    text.push_str(self.run(at, run, end)?);
                    let (character, next) = self.escaped(at, end)?;
                    text.push(character);
                    (run, end) = (next, self.stop(next));
                }
            }
        }
        text.push_str(self.run(at, run, end)?);
        self.at = end + 1;
        Ok(Text {
            text: Cow::Owned(text),
            at,
        })
    }

    /// Where the next quote or backslash is; a string has one.
    fn stop(&self, from: usize) -> usize {
        let length = memchr2(b'"', b'\\', &self.value[from..]);
        length.map_or(self.value.len(), |length| from + length)
    }

    fn run(&self, string: usize, from: usize, to: usize) -> Result<&'a str, DecodeError> {
        str::from_utf8(&self.value[from..to]).map_err(|_invalid| self.not_utf8(string))
    }

    /// The character that the escape at `at` stands for, and where what follows begins.
    fn escaped(&self, string: usize, at: usize) -> Result<(char, usize), DecodeError> {
        let character = match self.value[at + 1] {
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(string, at),
            other => char::from(other),
        };
        Ok((character, at + 2))
    }

    fn code_point(&self, string: usize, at: usize) -> Result<(char, usize), DecodeError> {
        let first = hexadecimal(&self.value[at + 2..at + 6]).unwrap_or_default();
        let next = at + 6;
        if let Some(character) = char::from_u32(u32::from(first)) {
            return Ok((character, next));
        }
        let Some(following) = self.value.get(next..next + 6) else {
            return Err(DecodeError::TruncatedEscape);
        };
        let pair = following
            .strip_prefix(b"\\u")
            .and_then(hexadecimal)
            .and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        match pair {
            Some(character) => Ok((character, next + 6)),
            None => Err(DecodeError::Escape {
                at: self.position(string),
                code: following.to_vec(),
            }),
        }
    }

    fn not_utf8(&self, string: usize) -> DecodeError {
        DecodeError::Utf8 {
            at: self.position(string),
        }
    }

    fn position(&self, at: usize) -> Position {
        Position::of(self.value, at)
    }

    /// What was written there. It is UTF-8, for strings are read before they are quoted.
    fn raw(&self, at: usize, end: usize) -> String {
        String::from_utf8_lossy(&self.value[at..end]).into_owned()
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |number, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(number << 4 | u16::try_from(value).ok()?)
    })
}
