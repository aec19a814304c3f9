use std::path::Path;

use configparser::ini::{Ini, IniDefault};
use java_properties::PropertiesIter;
use serde_json::{Map, Value};

use crate::usage_error::UsageError;

/// How a settings file is written; its extension says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Dotenv,
    Hcl,
    Ini,
    Json,
    Properties,
    Toml,
    Yaml,
}

/// What is wrong with a file. It repeats no values, because one may be a password.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// Fulcio's list, in its order.
const EXTENSIONS: [(&str, Format); 12] = [
    ("json", Format::Json),
    ("toml", Format::Toml),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("properties", Format::Properties),
    ("props", Format::Properties),
    ("prop", Format::Properties),
    ("hcl", Format::Hcl),
    ("tfvars", Format::Hcl),
    ("dotenv", Format::Dotenv),
    ("env", Format::Dotenv),
    ("ini", Format::Ini),
];

impl Format {
    /// The format of the file at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, UsageError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        EXTENSIONS
            .iter()
            .find(|(name, _)| Some(*name) == extension)
            .map(|(_, format)| *format)
            .ok_or_else(|| {
                UsageError::new(format!(
                    "--config {}: the extension says how a settings file is written; give it one of {}",
                    path.display(),
                    EXTENSIONS.map(|(name, _)| name).join(", ")
                ))
            })
    }

    /// What the text says, in the shape of JSON.
    pub(super) fn parse(self, text: &str) -> Result<Value, Fault> {
        match self {
            Self::Dotenv => dotenv(text),
            Self::Hcl => hcl(text),
            Self::Ini => ini(text),
            Self::Json => serde_json::from_str(text).map_err(|error| Fault {
                line: Some(error.line()),
                message: "this is not JSON".to_owned(),
            }),
            Self::Properties => properties(text),
            Self::Toml => toml::from_str(text).map_err(|error| Fault {
                line: error.span().map(|span| line_at(text, span.start)),
                message: format!("this is not TOML: {}", error.message()),
            }),
            Self::Yaml => yaml(text),
        }
    }
}

/// Values may refer to variables, as in Fulcio.
fn dotenv(text: &str) -> Result<Value, Fault> {
    let mut map = Map::new();
    for pair in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = pair.map_err(|error| Fault {
            line: match &error {
                dotenvy::Error::LineParse(bad, _) => text
                    .lines()
                    .position(|line| line == bad)
                    .map(|index| index + 1),
                _ => None,
            },
            message: "lines of NAME=value are expected".to_owned(),
        })?;
        map.insert(name, Value::String(value));
    }
    Ok(Value::Object(map))
}

fn hcl(text: &str) -> Result<Value, Fault> {
    hcl::from_str(text).map_err(|error| match &error {
        hcl::Error::Parse(error) => Fault {
            line: Some(error.location().line()),
            message: format!("this is not HCL: {}", error.message()),
        },
        _ => Fault {
            line: None,
            message: "this is not HCL".to_owned(),
        },
    })
}

/// Sections are keys that others stand below; keys without one stand alone, as do those of a
/// section `default`.
fn ini(text: &str) -> Result<Value, Fault> {
    let mut rules = IniDefault::default();
    // A `#` or `;` in a value is a part of it: the value may be a password.
    rules.inline_comment_symbols = Some(Vec::new());
    let sections = Ini::new_from_defaults(rules)
        .read(text.to_owned())
        .map_err(|message| Fault {
            line: message
                .strip_prefix("line ")
                .and_then(|rest| rest.split(':').next()?.parse().ok()),
            message: "this is not INI: lines of name = value are expected".to_owned(),
        })?;
    let mut all = Map::new();
    for (section, keys) in sections {
        let mut map = Map::new();
        for (key, value) in keys {
            let value = value.ok_or_else(|| Fault {
                line: None,
                message: format!("{key} has no value"),
            })?;
            map.insert(key, Value::String(value));
        }
        if section == "default" {
            all.extend(map);
        } else {
            all.insert(section, Value::Object(map));
        }
    }
    Ok(Value::Object(all))
}

fn properties(text: &str) -> Result<Value, Fault> {
    let mut map = Map::new();
    PropertiesIter::new_with_encoding(text.as_bytes(), encoding_rs::UTF_8)
        .read_into(|key, value| {
            map.insert(key, Value::String(value));
        })
        .map_err(|error| Fault {
            line: error.line_number(),
            message: "lines of name=value are expected".to_owned(),
        })?;
    Ok(Value::Object(map))
}

fn yaml(text: &str) -> Result<Value, Fault> {
    let fault = |error: serde_norway::Error| Fault {
        line: error.location().map(|place| place.line()),
        message: format!("this is not YAML: {error}"),
    };
    let mut value: serde_norway::Value = serde_norway::from_str(text).map_err(fault)?;
    value.apply_merge().map_err(fault)?;
    serde_json::to_value(value).map_err(|_odd| Fault {
        line: None,
        message: "keys must be texts".to_owned(),
    })
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
