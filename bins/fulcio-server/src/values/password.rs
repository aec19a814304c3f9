use core::fmt;

use zeroize::Zeroizing;

/// A password that does not show itself.
#[derive(Clone)]
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn reveal(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(Zeroizing::new(password))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_show_itself() {
        let password = Password::from("open sesame".to_owned());
        assert_eq!(format!("{password:?}"), "Password");
        assert_eq!(password.reveal().as_str(), "open sesame");
    }
}
