use core::fmt;

use zeroize::Zeroizing;

/// What a back end may need besides the URI.
#[derive(Clone, Default)]
pub struct OpenOptions {
    password: Option<Zeroizing<String>>,
}

impl OpenOptions {
    /// Nothing besides the URI.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of the key; a back end that needs none does not use it.
    #[must_use]
    pub fn with_password(mut self, password: Zeroizing<String>) -> Self {
        self.password = Some(password);
        self
    }

    /// The password of the key.
    #[must_use]
    pub fn password(&self) -> Option<&Zeroizing<String>> {
        self.password.as_ref()
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_secret| "[hidden]");
        f.debug_struct("OpenOptions")
            .field("password", &password)
            .finish()
    }
}
