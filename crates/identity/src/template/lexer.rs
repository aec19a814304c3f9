//! From the text of a template to text and the words of its actions.

use super::{TemplateError, TemplateFault};

/// A word of an action, or the text between actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    /// The offset in the template.
    pub(super) at: usize,
    pub(super) kind: TokenKind<'t>,
    /// Whether white space stands before it in its action.
    pub(super) spaced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'t> {
    ActionEnd,
    ActionStart,
    /// `.` alone.
    Dot,
    /// Without its dot.
    Field(&'t str),
    Close,
    Open,
    Pipe,
    /// With its quotes.
    Quoted(&'t str),
    Text(&'t str),
    /// A name of a function, a keyword, `true` or `false`.
    Word(&'t str),
}

impl TokenKind<'_> {
    /// How it is written.
    pub(super) fn written(self) -> String {
        match self {
            Self::ActionEnd => "}}".to_owned(),
            Self::ActionStart => "{{".to_owned(),
            Self::Dot => ".".to_owned(),
            Self::Field(name) => format!(".{name}"),
            Self::Close => ")".to_owned(),
            Self::Open => "(".to_owned(),
            Self::Pipe => "|".to_owned(),
            Self::Quoted(text) | Self::Text(text) | Self::Word(text) => text.to_owned(),
        }
    }
}

/// What Go trims, and what it takes for white space in an action.
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, TemplateError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.at < text.len() {
        lexer.plain();
        if lexer.at < text.len() {
            lexer.action()?;
        }
    }
    Ok(lexer.tokens)
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, at: usize, fault: TemplateFault) -> Result<T, TemplateError> {
        Err(TemplateError::new(self.text, at, fault))
    }

    fn push(&mut self, length: usize, kind: TokenKind<'t>, spaced: bool) {
        let at = self.at;
        self.tokens.push(Token { at, kind, spaced });
        self.at += length;
    }

    /// Reads up to the next action.
    fn plain(&mut self) {
        let rest = self.rest();
        let end = rest.find("{{").unwrap_or(rest.len());
        let mut text = &rest[..end];
        if trims_before(&rest[end..]) {
            text = text.trim_end_matches(SPACES);
        }
        if !text.is_empty() {
            self.push(0, TokenKind::Text(text), false);
        }
        self.at += end;
    }

    /// Reads an action or a comment. The `{{` is there.
    fn action(&mut self) -> Result<(), TemplateError> {
        let start = self.at;
        let marker = if trims_before(self.rest()) { 2 } else { 0 };
        if self.rest()[2 + marker..].starts_with("/*") {
            return self.comment(start, 2 + marker);
        }
        self.push(2 + marker, TokenKind::ActionStart, false);
        let mut depth = 0;
        loop {
            let spaces = self.rest().len() - self.rest().trim_start_matches(SPACES).len();
            // The last of the spaces belongs to a `-}}`.
            if spaces > 0 && self.rest()[spaces..].starts_with("-}}") {
                self.at += spaces;
                self.push(3, TokenKind::ActionEnd, true);
                self.trim_start();
                return self.balanced(start, depth);
            }
            self.at += spaces;
            if self.rest().starts_with("}}") {
                self.push(2, TokenKind::ActionEnd, spaces > 0);
                return self.balanced(start, depth);
            }
            self.word(start, spaces > 0)?;
            match self.tokens.last().map(|token| token.kind) {
                Some(TokenKind::Open) => depth += 1,
                Some(TokenKind::Close) => depth -= 1,
                _ => {}
            }
            if depth < 0 {
                return self.fail(self.at - 1, TemplateFault::Unbalanced);
            }
        }
    }

    fn balanced(&self, start: usize, depth: i32) -> Result<(), TemplateError> {
        if depth == 0 {
            return Ok(());
        }
        self.fail(start, TemplateFault::Unbalanced)
    }

    fn trim_start(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(SPACES).len();
    }

    fn comment(&mut self, start: usize, opening: usize) -> Result<(), TemplateError> {
        let inside = &self.rest()[opening + 2..];
        let Some(length) = inside.find("*/") else {
            return self.fail(start, TemplateFault::Comment);
        };
        self.at += opening + 2 + length + 2;
        if self.rest().starts_with("}}") {
            self.at += 2;
            return Ok(());
        }
        if self.rest().starts_with(SPACES) && self.rest()[1..].starts_with("-}}") {
            self.at += 4;
            self.trim_start();
            return Ok(());
        }
        self.fail(start, TemplateFault::Comment)
    }

    /// Reads one word of the action that begins at `start`.
    fn word(&mut self, start: usize, spaced: bool) -> Result<(), TemplateError> {
        let rest = self.rest();
        let at = self.at;
        let Some(first) = rest.chars().next() else {
            return self.fail(start, TemplateFault::UnclosedAction);
        };
        match first {
            '|' => self.push(1, TokenKind::Pipe, spaced),
            '(' => self.push(1, TokenKind::Open, spaced),
            ')' => self.push(1, TokenKind::Close, spaced),
            '"' | '`' => {
                let Some(length) = quoted_length(rest, first) else {
                    return self.fail(at, TemplateFault::Quoted);
                };
                self.push(length, TokenKind::Quoted(&rest[..length]), spaced);
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let name = name_at(&rest[1..]);
                let kind = if name.is_empty() {
                    TokenKind::Dot
                } else {
                    TokenKind::Field(name)
                };
                self.push(1 + name.len(), kind, spaced);
                self.terminated()?;
            }
            '.' | '+' | '-' | '0'..='9' => {
                let is_number = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
                let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
                return self.fail(at, TemplateFault::Number(rest[..end].to_owned()));
            }
            _ if is_name(first) => {
                let name = name_at(rest);
                self.push(name.len(), TokenKind::Word(name), spaced);
                self.terminated()?;
            }
            '$' => {
                let variable = format!("${}", name_at(&rest[1..]));
                return self.fail(at, TemplateFault::Unsupported(variable));
            }
            other => return self.fail(at, TemplateFault::Unexpected(other.to_string())),
        }
        Ok(())
    }

    /// A name ends where something may stand after a name.
    fn terminated(&self) -> Result<(), TemplateError> {
        let rest = self.rest();
        match rest.chars().next() {
            None => Ok(()),
            Some(c) if SPACES.contains(&c) || ".,|:)(".contains(c) => Ok(()),
            Some(_) if rest.starts_with("}}") => Ok(()),
            Some(c) => self.fail(self.at, TemplateFault::Adjacent(c.to_string())),
        }
    }
}

/// Whether the text before the action that `rest` begins with is to be trimmed.
fn trims_before(rest: &str) -> bool {
    rest.strip_prefix("{{-")
        .is_some_and(|after| after.starts_with(SPACES))
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_digit() || c.is_alphabetic()
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    &text[..end]
}

/// The length, quotes included, of the text that `rest` begins with.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    if quote == '`' {
        return Some(rest[1..].find('`')? + 2);
    }
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => _ = characters.next(),
            '\n' => return None,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
