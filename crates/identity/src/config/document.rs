//! The text of a configuration file as nested tables of text.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::{
    merge::{MERGE, MergeSeed},
    typed::AnyTyped,
};

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Bool(bool),
    /// Something that nobody reads.
    Ignored,
    Null,
    /// A mapping, in the order of the file. Keys may be there twice.
    Table(Vec<(String, Self)>),
    Text(String),
}

/// What may stand somewhere in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Anything; it is passed over.
    Ignored,
    /// True, false or nothing; text too, if nobody is to take it for one of them.
    Switch,
    /// A mapping; the function tells the shape of what is behind a key.
    Table(fn(&str, Format) -> Self),
    /// Text or nothing.
    Text,
}

/// In which language the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// Why a text is no document.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl SyntaxError {
    /// Both parsers end their text with the place, which is told apart from it here.
    fn new(line: Option<usize>, message: &str) -> Self {
        let mut parts = message.split(" at line ");
        let message = match (parts.next(), parts.next(), parts.next()) {
            (Some(before), Some(_), None) => before,
            // More than one place, or none.
            _ => message,
        };
        Self {
            line,
            message: in_plain_words(message),
        }
    }
}

/// What a parser says of frequent mistakes, in words that tell what to do.
fn in_plain_words(message: &str) -> String {
    match message {
        "found character that cannot start any token" => {
            "a value cannot begin with this character; indent with spaces, not with tabs, and put \
             values that begin with @, % or ` in quotes"
                .to_owned()
        }
        "unknown anchor" => "there is no anchor of this name above; write one with &".to_owned(),
        _ => in_the_wrong_place(message).unwrap_or_else(|| message.to_owned()),
    }
}

/// What a parser says where one kind of value stands in the place of another.
fn in_the_wrong_place(message: &str) -> Option<String> {
    let (place, types) = message.split_once("invalid type: ")?;
    let (found, expected) = types.split_once(", expected ")?;
    let found = match found {
        "map" => "a mapping",
        "sequence" => "a list",
        other => other,
    };
    Some(format!(
        "{place}here is {found}, where there must be {expected}"
    ))
}

/// Reads a whole file. What begins like JSON is read as JSON, and as YAML when it is not, unless
/// its keys are those of JSON.
///
/// A byte order mark is passed over, behind which nothing is JSON to Fulcio.
pub(super) fn read(
    text: &str,
    shape: fn(&str, Format) -> Shape,
) -> Result<(Node, Format), SyntaxError> {
    let (text, is_marked) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => (text, true),
        None => (text, false),
    };
    let seed = |format| NodeSeed {
        shape: Shape::Table(shape),
        format,
    };
    let as_yaml = |format| {
        let yaml = || serde_norway::Deserializer::from_str(text);
        let read = seed(format).deserialize(yaml());
        let read = read.and_then(|node| AnyTyped.deserialize(yaml()).map(|()| node));
        read.map_err(|error| {
            let line = error.location().map(|place| place.line());
            SyntaxError::new(line, &error.to_string())
        })
    };
    if !text.trim_start().starts_with('{') {
        return Ok((as_yaml(Format::Yaml)?, Format::Yaml));
    }
    let has_names_of_json =
        |node: &Node| node.has_key(|key| !shape(key, Format::Json).is_ignored());
    if is_marked {
        let node = as_yaml(Format::Yaml)?;
        if has_names_of_json(&node) {
            let message = "JSON must not begin with a byte order mark; take it away";
            return Err(SyntaxError::new(Some(1), message));
        }
        return Ok((node, Format::Yaml));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match (seed(Format::Json).deserialize(&mut json)).and_then(|node| json.end().map(|()| node)) {
        Ok(node) => Ok((node, Format::Json)),
        // JSON is YAML too, and the parser of YAML tells the key besides.
        Err(error) if error.is_data() => match as_yaml(Format::Json) {
            Ok(_) => Err(SyntaxError::new(Some(error.line()), &error.to_string())),
            Err(error) => Err(error),
        },
        Err(error) => match as_yaml(Format::Yaml) {
            Ok(node) if !has_names_of_json(&node) => Ok((node, Format::Yaml)),
            _ => Err(SyntaxError::new(Some(error.line()), &error.to_string())),
        },
    }
}

/// What some editors put before a text that is UTF-8.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

impl Node {
    fn has_key(&self, is_one: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Table(entries) => entries.iter().any(|(key, _)| is_one(key)),
            Self::Bool(_) | Self::Ignored | Self::Null | Self::Text(_) => false,
        }
    }
}

impl Shape {
    fn is_ignored(self) -> bool {
        matches!(self, Self::Ignored)
    }
}

#[derive(Clone, Copy)]
pub(super) struct NodeSeed {
    shape: Shape,
    format: Format,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match (self.shape, self.format) {
            (Shape::Ignored, _) => deserializer.deserialize_ignored_any(self),
            // Asked for text, the YAML parser gives the scalar as it is written: 1.10 stays 1.10.
            (Shape::Text, Format::Yaml) => deserializer.deserialize_option(self),
            (Shape::Text, Format::Json) | (Shape::Switch | Shape::Table(_), _) => {
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.shape {
            Shape::Ignored => "anything",
            Shape::Switch => "true or false",
            Shape::Table(_) => "keys and values",
            Shape::Text => "a text",
        })
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        match self.shape {
            Shape::Ignored => Ok(Node::Ignored),
            Shape::Switch => Ok(Node::Bool(value)),
            Shape::Table(_) | Shape::Text => {
                Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self))
            }
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        match self.shape {
            Shape::Ignored => Ok(Node::Ignored),
            Shape::Switch => Ok(match word(text) {
                Some(value) if self.format == Format::Yaml => Node::Bool(value),
                _ => Node::Text(text.to_owned()),
            }),
            Shape::Text => Ok(Node::Text(text.to_owned())),
            // What the text is stays untold: the file may be another one, with secrets in it.
            Shape::Table(_) => Err(E::invalid_type(
                serde::de::Unexpected::Other("a text"),
                &self,
            )),
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        Ok(match self.shape {
            Shape::Ignored => Node::Ignored,
            Shape::Switch | Shape::Table(_) | Shape::Text => Node::Null,
        })
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let Shape::Table(shape_of) = self.shape else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        let mut table: Vec<(String, Node)> = Vec::new();
        let mut merged = None;
        while let Some(key) = map.next_key::<Option<String>>()? {
            let key = key.ok_or_else(|| A::Error::custom("a key is null; put it in quotes"))?;
            if key == MERGE && self.format == Format::Yaml {
                let mut all = Vec::new();
                map.next_value_seed(MergeSeed {
                    table: self,
                    merged: &mut all,
                })?;
                if merged.replace(all).is_some() {
                    return Err(A::Error::custom(
                        "<< is written twice; merge a list of mappings",
                    ));
                }
                continue;
            }
            let value = map.next_value_seed(Self {
                shape: shape_of(&key, self.format),
                ..self
            })?;
            table.push((key, value));
        }
        // What is written here wins over what is merged, and an earlier merge over a later one.
        for (key, value) in merged.into_iter().flatten() {
            if table.iter().all(|(present, _)| *present != key) {
                table.push((key, value));
            }
        }
        Ok(Node::Table(table))
    }
}

/// The value of a word that is a boolean of YAML 1.1 and text in YAML 1.2. As in Fulcio, whether it
/// stands in quotes does not matter.
fn word(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}
