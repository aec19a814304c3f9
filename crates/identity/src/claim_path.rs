use core::fmt;

use serde_json::{Map, Value};

/// Which claim names the issuer: the `issuer-claim` of a configuration.
///
/// The part of JSONPath (RFC 9535) that leads to one place: `$` followed by `.name`, `['name']`,
/// `["name"]` or `[0]`. What may lead to several, such as `..` and `*`, is refused, because one
/// name has to come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Child(String),
    Index(usize),
}

/// Why a text is no [`ClaimPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be followed after `{understood}`; write a path such as \
     $.federated_claims.connector_id or $['a']['b'][0]"
)]
pub struct ClaimPathError {
    text: String,
    understood: String,
}

/// Why a token has no claim at a [`ClaimPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimPathMismatch {
    /// The token has nothing there.
    #[error("the token has nothing there")]
    Absent,
    /// What is there is null, an object, an array, or a number that is not a small integer.
    #[error("it is not a text")]
    NotText,
}

impl ClaimPath {
    /// Reads a path.
    ///
    /// # Errors
    /// It is not one, or it could lead to more than one place.
    pub fn parse(text: &str) -> Result<Self, ClaimPathError> {
        let trimmed = text.trim();
        let refuse = |rest: &str| ClaimPathError {
            text: text.to_owned(),
            understood: trimmed[..trimmed.len() - rest.len()].to_owned(),
        };
        let mut rest = trimmed.strip_prefix('$').ok_or_else(|| refuse(trimmed))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = Step::parse(rest).ok_or_else(|| refuse(rest))?;
            steps.push(step);
            rest = after;
        }
        if steps.is_empty() {
            return Err(refuse(""));
        }
        Ok(Self {
            text: trimmed.to_owned(),
            steps,
        })
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text at this place of the claims. A boolean or a small integer counts as its text.
    ///
    /// # Errors
    /// There is nothing, or it is not a text.
    pub fn text_in(&self, claims: &Map<String, Value>) -> Result<String, ClaimPathMismatch> {
        let (first, others) = self.steps.split_first().ok_or(ClaimPathMismatch::Absent)?;
        let mut value = match first {
            Step::Child(name) => claims.get(name),
            Step::Index(_) => None,
        };
        for step in others {
            value = match (step, value) {
                (Step::Child(name), Some(Value::Object(object))) => object.get(name),
                (Step::Index(index), Some(Value::Array(items))) => items.get(*index),
                _ => None,
            };
        }
        match value.ok_or(ClaimPathMismatch::Absent)? {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            // Beyond 2^53 Fulcio, which reads numbers as floats, would write something else.
            Value::Number(number) => match number.as_i64() {
                Some(integer) if integer.unsigned_abs() <= 1 << 53 => Ok(integer.to_string()),
                _ => Err(ClaimPathMismatch::NotText),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => Err(ClaimPathMismatch::NotText),
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Step {
    /// The first step of `text`, and what follows it.
    fn parse(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('.') {
            let is_part = |c: char| c == '_' || c.is_alphanumeric();
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let starts_well = name.starts_with(|c: char| !c.is_numeric());
            return starts_well.then(|| (Self::Child(name.to_owned()), rest));
        }
        let rest = text.strip_prefix('[')?;
        let quote = rest.chars().next()?;
        if quote == '\'' || quote == '"' {
            let (name, rest) = quoted(&rest[1..], quote)?;
            return Some((Self::Child(name), rest.strip_prefix(']')?));
        }
        let (digits, rest) = rest.split_once(']')?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        let index = plain.then(|| digits.parse().ok()).flatten()?;
        Some((Self::Index(index), rest))
    }
}

/// Reads up to the closing quote; a backslash keeps the quote or backslash that follows it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next()?.1 {
                escaped @ ('\\' | '\'' | '"') => name.push(escaped),
                _ => return None,
            },
            _ if c == quote => return Some((name, &text[at + 1..])),
            _ => name.push(c),
        }
    }
    None
}
