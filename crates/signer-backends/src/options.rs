use core::fmt;

#[cfg(feature = "hashivault")]
use fulcio_signer_hashivault::VaultConfig;
use zeroize::Zeroizing;

/// What a back end may need besides the URI.
#[derive(Clone, Default)]
pub struct OpenOptions {
    password: Option<Zeroizing<String>>,
    #[cfg(feature = "hashivault")]
    vault: Option<VaultConfig>,
}

impl OpenOptions {
    /// Nothing besides the URI.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of the key, or the PIN of its token; a back end that needs none does not use it.
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

    /// Where Vault is, and who asks: `hashivault:` and `openbao:` need it.
    /// [`VaultConfig::from_variables`] reads what Fulcio and Vault's own tools read.
    #[cfg(feature = "hashivault")]
    #[must_use]
    pub fn with_vault(mut self, vault: VaultConfig) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Where Vault is, and who asks.
    #[cfg(feature = "hashivault")]
    #[must_use]
    pub fn vault(&self) -> Option<&VaultConfig> {
        self.vault.as_ref()
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_secret| "[hidden]");
        let mut shown = f.debug_struct("OpenOptions");
        shown.field("password", &password);
        #[cfg(feature = "hashivault")]
        shown.field("vault", &self.vault);
        shown.finish()
    }
}
