use core::any::TypeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

use crate::{
    flag_name::FlagName,
    settings_file::{SettingsFile, Values},
    usage_error::UsageError,
    values::{Optional, Switch},
    variables::{PREFIX, Variables},
};

/// What the environment and the settings file add to the command line of one subcommand.
///
/// A flag wins over its variable, and a variable over the settings file. What they add is turned
/// into flags, so that every value is read by the one rule that its flag has.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    added: Vec<Added>,
    /// What the operator should know, once there is a log.
    pub(crate) notes: Vec<String>,
}

/// A flag that is not on the command line.
struct Added {
    /// As on a command line, once for each value. It may hold a password.
    arguments: Vec<OsString>,
    long: String,
    /// Where it is written, for people.
    place: String,
}

impl core::fmt::Debug for Added {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "--{} of {}", self.long, self.place)
    }
}

/// The flag that names the settings file; it is read before the layers and so is in none of them.
const CONFIG: &str = "config";

/// Keys that Fulcio knows, and what there is to say about them.
const FULCIOS_OWN_KEYS: [(&str, &str); 2] = [
    (
        CONFIG,
        "does nothing in a settings file or variable; only the flag names a settings file",
    ),
    (
        "gcp_private_ca_version",
        "is deprecated in Fulcio and does nothing here; remove it",
    ),
];

/// A command whose flags and their help are as the layers need them: a flag that is on or off
/// can be given without a value, the last one counts where one is repeated, and each one's variable
/// is in its help.
pub(crate) fn layered(command: Command) -> Command {
    command.args_override_self(true).mut_args(|flag| {
        let flag = if is::<Switch>(&flag) {
            flag.num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .hide_possible_values(true)
        } else {
            flag
        };
        let flag = match flag.get_default_values() {
            [empty] if empty.is_empty() => flag.hide_default_value(true),
            _ => flag,
        };
        match (flag.get_long(), flag.get_help()) {
            (Some(long), Some(help)) if long != CONFIG => {
                let variable = FlagName::new(long).in_capitals();
                let help = format!("{help}\n[env: {PREFIX}{variable}]");
                flag.help(help)
            }
            _ => flag,
        }
    })
}

/// The same command with no flag demanded, for the parts of a command line.
pub(crate) fn undemanding(command: Command) -> Command {
    command.mut_args(|flag| flag.required(false))
}

fn is<T: 'static>(flag: &Arg) -> bool {
    flag.get_value_parser().type_id() == TypeId::of::<T>()
}

impl Layers {
    /// Reads the layers below a command line, of which `explicit` has been read.
    pub(crate) fn read(
        command: &Command,
        explicit: &ArgMatches,
        mut variables: Variables,
    ) -> Result<Self> {
        let file = explicit
            .get_one::<Optional<PathBuf>>(CONFIG)
            .and_then(Optional::as_ref)
            .map(|path| SettingsFile::read(path));
        let mut file = FileLayer::new(command, file.transpose()?)?;
        let mut layers = Self::default();
        for flag in flags(command) {
            let written = file.take(flag);
            let variable = names(flag).find_map(|name| variables.take(&name));
            if explicit.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine) {
                continue;
            }
            let (values, place) = match (variable, written) {
                (Some(variable), _) => {
                    let values = Values::One(variable.value.clone());
                    (values, variable.name)
                }
                (None, Some((values, place))) => (values, place),
                (None, None) => continue,
            };
            let added = Added::new(flag, values, place)?;
            added.judge(command)?;
            layers.added.push(added);
        }
        layers.notes = file.notes;
        layers.note_variables(&mut variables);
        Ok(layers)
    }

    fn note_variables(&mut self, variables: &mut Variables) {
        for (key, note) in FULCIOS_OWN_KEYS {
            if let Some(variable) = variables.take(&FlagName::new(key)) {
                self.notes.push(format!("{} {note}", variable.name));
            }
        }
        let unknown: Vec<_> = variables.names().collect();
        if !unknown.is_empty() {
            self.notes.push(format!(
                "no flag belongs to these variables, and they do nothing: {}",
                unknown.join(", ")
            ));
        }
    }

    /// What they add, as arguments.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &OsString> {
        self.added.iter().flat_map(|added| &added.arguments)
    }

    /// Where the flags that `text` is about are written; nothing when all of them are on the command
    /// line.
    pub(crate) fn places(&self, text: &str) -> Option<String> {
        let is_about = |added: &&Added| {
            text.split(['\'', ' ', ','])
                .any(|word| word.strip_prefix("--") == Some(&added.long))
        };
        let places: Vec<_> = self
            .added
            .iter()
            .filter(is_about)
            .map(|added| added.place.as_str())
            .collect();
        (!places.is_empty()).then(|| places.join(" and "))
    }

    /// The same of an error of the whole command line.
    pub(crate) fn explain(&self, error: &clap::Error) -> Option<UsageError> {
        let text = one_line(error);
        let places = self.places(&text)?;
        Some(UsageError::new(format!("{places}: {text}")))
    }
}

/// The flags that the layers may give.
fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|flag| flag.get_long().is_some_and(|long| long != CONFIG))
}

fn names(flag: &Arg) -> impl Iterator<Item = FlagName> {
    let aliases = flag.get_all_aliases().unwrap_or_default();
    flag.get_long()
        .into_iter()
        .chain(aliases)
        .map(FlagName::new)
        .collect::<BTreeSet<_>>()
        .into_iter()
}

impl Added {
    fn new(flag: &Arg, values: Values, place: String) -> Result<Self> {
        let long = flag.get_long().unwrap_or_default().to_owned();
        let is_list = matches!(flag.get_action(), ArgAction::Append);
        let values = match values {
            Values::Many(_) if !is_list => bail!(UsageError::new(format!(
                "{place} is a list, and --{long} takes one value"
            ))),
            Values::Many(none) if none.is_empty() => bail!(UsageError::new(format!(
                "{place} is an empty list; remove it, or name what is wanted"
            ))),
            Values::Many(values) => values,
            // Fulcio separates the values of a text by spaces, and those of a flag by commas.
            Values::One(value) if is_list => match value.to_str() {
                Some(text) => text.split_whitespace().map(OsString::from).collect(),
                None => vec![value],
            },
            Values::One(value) if is::<Duration>(flag) => vec![with_unit(value)],
            Values::One(value) => vec![value],
        };
        let argument = |value: &OsString| {
            let mut argument = OsString::from(format!("--{long}="));
            argument.push(value);
            argument
        };
        Ok(Self {
            arguments: values.iter().map(argument).collect(),
            long,
            place,
        })
    }

    /// Reads the values, so that an error can say where they are written.
    fn judge(&self, command: &Command) -> Result<()> {
        let name = OsString::from(command.get_name());
        let arguments = core::iter::once(&name).chain(&self.arguments);
        match undemanding(command.clone()).try_get_matches_from(arguments) {
            Ok(_) => Ok(()),
            Err(error) => {
                let message = format!("{}: {}", self.place, one_line(&error));
                Err(UsageError::new(message).into())
            }
        }
    }
}

/// Fulcio reads a bare number as nanoseconds, except on the command line.
fn with_unit(value: OsString) -> OsString {
    let number = value.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    match value.to_str() {
        Some(text) if number && !text.is_empty() => format!("{text}ns").into(),
        _ => value,
    }
}

/// What clap says, without the hints at usage that only fit a command line.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|hint| text.find(hint))
        .min();
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The settings file by flags.
#[derive(Debug, Default)]
struct FileLayer {
    written: BTreeMap<FlagName, (Values, String)>,
    notes: Vec<String>,
}

impl FileLayer {
    fn new(command: &Command, file: Option<SettingsFile>) -> Result<Self> {
        let mut layer = Self::default();
        let Some(file) = file else {
            return Ok(layer);
        };
        let known: BTreeMap<FlagName, FlagName> = flags(command)
            .filter_map(|flag| {
                let long = FlagName::new(flag.get_long()?);
                Some(names(flag).map(move |name| (name, long.clone())))
            })
            .flatten()
            .collect();
        for setting in file.settings() {
            let place = file.place(setting);
            let name = FlagName::new(&setting.key);
            let own = FULCIOS_OWN_KEYS
                .iter()
                .find(|(key, _)| FlagName::new(key) == name);
            if let Some((_, note)) = own {
                layer.notes.push(format!("{place} {note}"));
                continue;
            }
            let Some(flag) = known.get(&name) else {
                return Err(unknown(command, &setting.key, &place).into());
            };
            let Some(values) = setting.values() else {
                bail!(UsageError::new(format!(
                    "{place} must be a text, a number, true or false, or a list of them"
                )));
            };
            if layer.written.contains_key(flag) {
                bail!(UsageError::new(format!(
                    "{place} is there twice, in two spellings; remove one"
                )));
            }
            layer.written.insert(flag.clone(), (values, place));
        }
        Ok(layer)
    }

    fn take(&mut self, flag: &Arg) -> Option<(Values, String)> {
        self.written.remove(&FlagName::new(flag.get_long()?))
    }
}

fn unknown(command: &Command, key: &str, place: &str) -> UsageError {
    let key = key.to_ascii_lowercase();
    let nearest = flags(command)
        .filter_map(Arg::get_long)
        .map(|long| (strsim::damerau_levenshtein(long, &key), long))
        .min();
    UsageError::new(match nearest {
        Some((distance, long)) if distance <= NEAR => {
            format!("{place} is not the name of a flag; did you mean `{long}`?")
        }
        _ => format!("{place} is not the name of a flag of `serve`; remove it"),
    })
}

/// How many letters may be wrong in a key that is still guessed.
const NEAR: usize = 3;
