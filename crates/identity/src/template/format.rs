use fulcio_go_url::quote;

use super::evaluate::Value;

/// The format of a `printf`, which is fixed in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// With its quotes.
    pub(super) written: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Verb(Verb),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Bool,
    Quoted,
    Text,
    Value,
}

impl Format {
    /// Reads a format; none if it has a verb that is not supported.
    pub(super) fn parse(text: &str, written: String) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                plain.push(c);
                continue;
            }
            let verb = match characters.next()? {
                '%' => {
                    plain.push('%');
                    continue;
                }
                'q' => Verb::Quoted,
                's' => Verb::Text,
                't' => Verb::Bool,
                'v' => Verb::Value,
                _ => return None,
            };
            pieces.push(Piece::Text(core::mem::take(&mut plain)));
            pieces.push(Piece::Verb(verb));
        }
        pieces.push(Piece::Text(plain));
        Some(Self { written, pieces })
    }

    /// How many arguments it needs.
    pub(super) fn verbs(&self) -> usize {
        let is_verb = |piece: &&Piece| matches!(piece, Piece::Verb(_));
        self.pieces.iter().filter(is_verb).count()
    }

    pub(super) fn apply(&self, arguments: &[Value]) -> String {
        let mut arguments = arguments.iter();
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Verb(verb) => {
                    text.extend(arguments.next().map(|value| verb.apply(value)));
                }
            }
        }
        text
    }
}

impl Verb {
    fn apply(self, value: &Value) -> String {
        match (self, value) {
            (Self::Value, value) => value.to_string(),
            (Self::Text, Value::Text(text)) => text.clone(),
            (Self::Quoted, Value::Text(text)) => quote(text.as_bytes()),
            (Self::Bool, Value::Bool(value)) => value.to_string(),
            (Self::Bool, Value::Text(text)) => format!("%!t(string={text})"),
            (Self::Text, Value::Bool(value)) => format!("%!s(bool={value})"),
            (Self::Quoted, Value::Bool(value)) => format!("%!q(bool={value})"),
        }
    }
}
