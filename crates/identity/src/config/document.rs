//! The text of a configuration file as nested tables of text.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A boolean of JSON. In YAML what is a boolean depends on who asks, so there it is text.
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
    /// Text, a boolean or nothing.
    Scalar,
    /// A mapping; the function tells the shape of what is behind a key.
    Table(fn(&str) -> Self),
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
            message: message.to_owned(),
        }
    }
}

/// Reads a whole file. What begins like JSON is read as JSON, and as YAML when it is not.
pub(super) fn read(text: &str, shape: fn(&str) -> Shape) -> Result<(Node, Format), SyntaxError> {
    let seed = |format| NodeSeed {
        shape: Shape::Table(shape),
        format,
    };
    let yaml = || seed(Format::Yaml).deserialize(serde_norway::Deserializer::from_str(text));
    if !text.trim_start().starts_with('{') {
        return match yaml() {
            Ok(node) => Ok((node, Format::Yaml)),
            Err(error) => {
                let line = error.location().map(|place| place.line());
                Err(SyntaxError::new(line, &error.to_string()))
            }
        };
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match (seed(Format::Json).deserialize(&mut json)).and_then(|node| json.end().map(|()| node)) {
        Ok(node) => Ok((node, Format::Json)),
        Err(error) => match yaml() {
            Ok(node) => Ok((node, Format::Yaml)),
            Err(_) => Err(SyntaxError::new(Some(error.line()), &error.to_string())),
        },
    }
}

#[derive(Clone, Copy)]
struct NodeSeed {
    shape: Shape,
    format: Format,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match (self.shape, self.format) {
            (Shape::Ignored, _) => deserializer.deserialize_ignored_any(self),
            // Asked for text, the YAML parser gives the scalar as it is written: 1.10 stays 1.10.
            (Shape::Scalar, Format::Yaml) => deserializer.deserialize_option(self),
            (Shape::Scalar, Format::Json) | (Shape::Table(_), _) => {
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
            Shape::Scalar => "a text",
            Shape::Table(_) => "keys and values",
        })
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        match self.shape {
            Shape::Ignored => Ok(Node::Ignored),
            Shape::Scalar => Ok(Node::Bool(value)),
            Shape::Table(_) => Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        match self.shape {
            Shape::Ignored => Ok(Node::Ignored),
            Shape::Scalar => Ok(Node::Text(text.to_owned())),
            // What the text is stays untold: the file may be another one, with secrets in it.
            Shape::Table(_) => Err(E::invalid_type(serde::de::Unexpected::Other("text"), &self)),
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        Ok(match self.shape {
            Shape::Ignored => Node::Ignored,
            Shape::Scalar | Shape::Table(_) => Node::Null,
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
        let mut merged = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == MERGE && self.format == Format::Yaml {
                map.next_value_seed(MergeSeed {
                    table: self,
                    merged: &mut merged,
                })?;
                continue;
            }
            let value = map.next_value_seed(Self {
                shape: shape_of(&key),
                ..self
            })?;
            table.push((key, value));
        }
        // What is written here wins over what is merged, and an earlier merge over a later one.
        for (key, value) in merged {
            if table.iter().all(|(present, _)| *present != key) {
                table.push((key, value));
            }
        }
        Ok(Node::Table(table))
    }
}

/// The key whose mappings become part of the mapping around it (YAML 1.1).
const MERGE: &str = "<<";

/// Collects what `<<` brings: one mapping, or several in a list.
struct MergeSeed<'a> {
    table: NodeSeed,
    merged: &'a mut Vec<(String, Node)>,
}

impl<'de> DeserializeSeed<'de> for MergeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MergeSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping to merge, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if let Node::Table(table) = self.table.visit_map(map)? {
            self.merged.extend(table);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(node) = items.next_element_seed(self.table)? {
            if let Node::Table(table) = node {
                self.merged.extend(table);
            }
        }
        Ok(())
    }
}
