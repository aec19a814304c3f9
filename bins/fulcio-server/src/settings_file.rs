mod format;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::{Map, Value};

use self::format::Format;
use crate::{input_file, usage_error::UsageError};

/// The file of `serve --config`: values for flags, under the names of the flags.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    text: String,
    settings: Vec<Setting>,
}

/// One key of the file, with the keys that it stands below, and its value.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: String,
    value: Value,
}

impl SettingsFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let format = Format::of(path)?;
        let text = input_file::read_text(&format!("--config {}", path.display()), path)?;
        let value = format.parse(&text).map_err(|fault| {
            let place = place(path, fault.line);
            UsageError::new(format!("{place}: {}", fault.message))
        })?;
        let mut settings = Vec::new();
        match value {
            Value::Null => {}
            Value::Object(map) => flatten("", map, &mut settings),
            _ => {
                let place = place(path, None);
                let message = format!("{place}: names of flags with their values are expected");
                return Err(UsageError::new(message).into());
            }
        }
        Ok(Self {
            path: path.to_owned(),
            text,
            settings,
        })
    }

    pub(crate) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Where a key is, for people: the file, the line where it is known, the key.
    pub(crate) fn place(&self, setting: &Setting) -> String {
        let place = place(&self.path, line_of(&self.text, &setting.key));
        format!("{place}: {}", setting.key)
    }
}

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

/// Keys of keys are joined by dots; a value of null is as good as none.
fn flatten(above: &str, map: Map<String, Value>, settings: &mut Vec<Setting>) {
    for (name, value) in map {
        let key = if above.is_empty() {
            name
        } else {
            format!("{above}.{name}")
        };
        match value {
            Value::Null => {}
            Value::Object(below) => flatten(&key, below, settings),
            value => settings.push(Setting { key, value }),
        }
    }
}

impl Setting {
    /// The values as texts, and whether they came as a list; nothing when they are not texts,
    /// numbers or booleans.
    pub(crate) fn values(&self) -> Option<Values> {
        match &self.value {
            Value::Array(values) => values
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .map(Values::Many),
            value => text(value).map(Values::One),
        }
    }
}

/// What a key of the file stands for.
#[derive(Debug)]
pub(crate) enum Values {
    Many(Vec<OsString>),
    One(OsString),
}

fn text(value: &Value) -> Option<OsString> {
    let text = match value {
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => match number.as_f64() {
            // A port of 8080.0 is one.
            Some(whole) if number.is_f64() && whole.fract() == 0.0 => format!("{whole:.0}"),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Null | Value::Object(_) => return None,
    };
    Some(text.into())
}

/// The line of a key, counted from 1, where just one line begins with it.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let begins = |line: &str| {
        [key, last].iter().any(|name| {
            let line = line.trim_start_matches(['{', ' ', '\t']);
            let line = line.strip_prefix("export ").unwrap_or(line);
            let line = line.trim_start_matches(['"', '\'', ' ']);
            let rest = line
                .get(..name.len())
                .filter(|start| start.eq_ignore_ascii_case(name))
                .and_then(|_| line.get(name.len()..));
            rest.is_some_and(|rest| {
                rest.trim_start_matches(['"', '\'', ' '])
                    .starts_with(['=', ':'])
            })
        })
    };
    let mut found = text
        .lines()
        .enumerate()
        .filter(|(_, line)| begins(line))
        .map(|(index, _)| index + 1);
    let line = found.next()?;
    found.next().is_none().then_some(line)
}
