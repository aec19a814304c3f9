use core::str::FromStr;

/// A flag that is on or off: `--x`, `--x=true`, `--x=false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch(bool);

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self.0
    }
}

/// A word that is neither on nor off.
#[derive(Debug, thiserror::Error)]
#[error("it is true or false")]
pub(crate) struct NotASwitch;

impl FromStr for Switch {
    type Err = NotASwitch;

    /// The words are those of Go's `strconv.ParseBool`.
    fn from_str(word: &str) -> Result<Self, NotASwitch> {
        match word {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Self(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Self(false)),
            _ => Err(NotASwitch),
        }
    }
}
