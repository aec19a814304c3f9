use std::{collections::BTreeMap, env, ffi::OsString};

use crate::flag_name::FlagName;

/// The variables of the environment that stand for flags of `serve`.
///
/// An empty variable is one that is not set, as in Fulcio.
#[derive(Debug)]
pub(crate) struct Variables(BTreeMap<FlagName, Variable>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: OsString,
}

pub(crate) const PREFIX: &str = "FULCIO_SERVE_";

impl Variables {
    /// The environment of this process.
    pub(crate) fn of_this_process() -> Self {
        Self::from_iter(env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some(Variable { name, value })
        }))
    }

    /// Takes out the variable for a flag.
    pub(crate) fn take(&mut self, flag: &FlagName) -> Option<Variable> {
        self.0.remove(flag)
    }

    /// The names of those that nobody took.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|variable| variable.name.as_str())
    }
}

impl FromIterator<Variable> for Variables {
    fn from_iter<I: IntoIterator<Item = Variable>>(all: I) -> Self {
        let mut found = BTreeMap::<_, Variable>::new();
        for variable in all {
            let Some(rest) = variable.name.strip_prefix(PREFIX) else {
                continue;
            };
            if variable.value.is_empty() || rest.chars().any(char::is_lowercase) {
                continue;
            }
            // Of two spellings, that with dashes is the one that Fulcio reads.
            let flag = FlagName::new(rest);
            let fulcios = rest.contains(['-', '.']);
            if fulcios || !found.contains_key(&flag) {
                found.insert(flag, variable);
            }
        }
        Self(found)
    }
}
