//! SoftHSM with tokens of its own for each test, each in a process of its own, and a module that
//! does wrong what it is told to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use core::ops::Deref;
use std::{fs, path::Path};

use fulcio_signer_pkcs11::{Config, Error, KeyReference, Pkcs11Signer, Token, TokenChoice};
use fulcio_test_services::SoftHsm as Tokens;

/// A folder with tokens, in the process of one test.
pub(crate) struct SoftHsm(Tokens);

pub(crate) const PIN: &str = Tokens::PIN;
pub(crate) const LABEL: &str = Tokens::LABEL;

/// Runs `test` in a process of its own, with one empty token that is labelled `fulcio`.
#[track_caller]
pub(crate) fn softhsm<T: FnOnce(&SoftHsm)>(test: T) {
    if let Some(tokens) = Tokens::in_own_process::<T>() {
        tokens.token(LABEL);
        test(&SoftHsm(tokens));
    }
}

impl Deref for SoftHsm {
    type Target = Tokens;

    fn deref(&self) -> &Tokens {
        &self.0
    }
}

impl SoftHsm {
    /// The configuration that fits, with SoftHSM itself.
    pub(crate) fn config(&self) -> Config {
        config_of(self.module())
    }

    /// The same with the module that does what [`tell`](Self::tell) tells it.
    pub(crate) fn faulty_config(&self) -> Config {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/softhsm/faulty.c");
        config_of(&self.faulty_module(&source))
    }

    /// How often the faulty module was asked to log in.
    pub(crate) fn logins(&self) -> usize {
        fs::read(self.path("told.logins")).map_or(0, |bytes| bytes.len())
    }

    /// How many sessions were opened in the faulty module.
    pub(crate) fn sessions(&self) -> usize {
        fs::read(self.path("told.sessions")).map_or(0, |bytes| bytes.len())
    }

    /// Runs a future to its end.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(future)
    }

    /// Opens the key with this label.
    pub(crate) fn signer(&self, config: Config, label: &str) -> Result<Pkcs11Signer, Error> {
        self.wait(async {
            let token = Token::open(config).await?;
            token.signer(&KeyReference::label(label)).await
        })
    }
}

fn config_of(module: &Path) -> Config {
    let mut config = Config::new(module, TokenChoice::Label(LABEL.to_owned()));
    config.pin = Some(PIN.to_owned().into());
    config
}
