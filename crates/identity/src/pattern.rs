use core::fmt;
use std::collections::HashSet;

/// The issuers of one meta issuer: a URL in which each `*` stands for a part of it.
///
/// A `*` is one or more of `-`, `_`, ASCII letters and digits, so never a `.` or a `/`. The whole
/// URL has to match.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerPattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(char),
    Part,
}

impl IssuerPattern {
    /// Reads a pattern; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let tokens = text
            .chars()
            .map(|c| match c {
                '*' => Token::Part,
                other => Token::Literal(other),
            })
            .collect();
        Self { text, tokens }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `url` is one of these issuers.
    #[must_use]
    pub fn matches(&self, url: &str) -> bool {
        // Each position is the number of tokens that are done. They stay sorted and unique.
        let mut positions = vec![0];
        let mut next = Vec::new();
        for c in url.chars() {
            for &at in &positions {
                match self.tokens.get(at) {
                    Some(Token::Literal(literal)) if *literal == c => push_new(&mut next, at + 1),
                    Some(Token::Part) if is_part_character(c) => {
                        push_new(&mut next, at);
                        push_new(&mut next, at + 1);
                    }
                    _ => {}
                }
            }
            if next.is_empty() {
                return false;
            }
            core::mem::swap(&mut positions, &mut next);
            next.clear();
        }
        positions.last() == Some(&self.tokens.len())
    }

    /// How many characters are fixed. Of two patterns that match one URL, the one with more is
    /// the more specific.
    #[must_use]
    pub fn specificity(&self) -> usize {
        let is_literal = |token: &&Token| matches!(token, Token::Literal(_));
        self.tokens.iter().filter(is_literal).count()
    }

    /// Whether there is a URL that both match.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![(0, 0)];
        while let Some((here, there)) = open.pop() {
            if !seen.insert((here, there)) {
                continue;
            }
            match (self.tokens.get(here), other.tokens.get(there)) {
                (None, None) => return true,
                (Some(Token::Literal(a)), Some(Token::Literal(b))) => {
                    if a == b {
                        open.push((here + 1, there + 1));
                    }
                }
                (Some(Token::Literal(c)), Some(Token::Part)) => {
                    if is_part_character(*c) {
                        open.extend([(here + 1, there), (here + 1, there + 1)]);
                    }
                }
                (Some(Token::Part), Some(Token::Literal(c))) => {
                    if is_part_character(*c) {
                        open.extend([(here, there + 1), (here + 1, there + 1)]);
                    }
                }
                (Some(Token::Part), Some(Token::Part)) => {
                    open.extend([(here, there + 1), (here + 1, there), (here + 1, there + 1)])
                }
                (None, Some(_)) | (Some(_), None) => {}
            }
        }
        false
    }

    /// Whether a `*` stands in the host, so that a caller's token chooses the machine asked.
    #[must_use]
    pub fn wildcard_in_host(&self) -> bool {
        let (scheme, host) = match self.text.split_once("://") {
            Some((scheme, rest)) => (scheme, rest.split(['/', '?', '#']).next().unwrap_or(rest)),
            // Where the host of such a text is depends on who reads it.
            None => (self.text.as_str(), ""),
        };
        scheme.contains('*') || host.contains('*')
    }
}

impl fmt::Debug for IssuerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IssuerPattern").field(&self.text).finish()
    }
}

impl fmt::Display for IssuerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_part_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn push_new(positions: &mut Vec<usize>, position: usize) {
    if positions.last() != Some(&position) {
        positions.push(position);
    }
}
