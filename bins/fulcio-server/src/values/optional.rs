use core::{convert::Infallible, str::FromStr};

/// A value that is as good as not there when it is empty, as `--ct-log-origin=` in a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Optional<T>(Option<T>);

impl<T> Optional<T> {
    pub(crate) fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: From<String>> FromStr for Optional<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self((!text.is_empty()).then(|| text.to_owned().into())))
    }
}
