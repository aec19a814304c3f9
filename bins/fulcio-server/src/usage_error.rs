/// Something that was asked for and cannot be meant, on one line.
///
/// Whoever started the program has to change a flag, a variable or the settings file; the program
/// ends with the exit code of a wrong command line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(String);

impl UsageError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A flag that belongs to a value of `--ca` is missing.
    pub(crate) fn must_be_set(flag: &str, ca: &str) -> Self {
        Self(format!("{flag} must be set when using --ca {ca}"))
    }
}
