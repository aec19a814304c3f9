/// The name of a flag as it may be spelled elsewhere: without regard to case, and with `-`, `.` and
/// `_` being the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlagName(String);

impl FlagName {
    pub(crate) fn new(spelled: &str) -> Self {
        Self(spelled.replace(['-', '.'], "_").to_ascii_lowercase())
    }

    /// The part of a variable's name that stands for the flag.
    pub(crate) fn in_capitals(&self) -> String {
        self.0.to_ascii_uppercase()
    }
}
