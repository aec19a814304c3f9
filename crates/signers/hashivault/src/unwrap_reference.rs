use core::{fmt, str::FromStr};

use http::uri::Authority;

use crate::{Error, VaultConfig, reference::is_name};

/// Which key of the transit engine decrypts what another program has encrypted.
///
/// It is written as Tink writes it, `hcvault://HOST[:PORT]/MOUNT/keys/KEY`. The host is asked by
/// `https`, and counts for more than [`VaultConfig::address`]; without one, three slashes follow
/// each other. The mount point, of one segment or more, counts for more than
/// [`VaultConfig::mount`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnwrapKeyReference {
    host: Option<String>,
    mount: String,
    name: String,
}

impl UnwrapKeyReference {
    /// The address that the host means; `None` without a host.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.host.as_ref().map(|host| format!("https://{host}"))
    }

    /// Where the transit engine is mounted.
    #[must_use]
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// What the key is called in Vault.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration for this key.
    pub(crate) fn within(&self, config: &VaultConfig) -> VaultConfig {
        let mut config = config.clone();
        config.mount.clone_from(&self.mount);
        if let Some(address) = self.address() {
            config.address = address;
        }
        config
    }
}

impl FromStr for UnwrapKeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::UnwrapReference {
            reference: without_password(text),
        })
    }
}

impl fmt::Display for UnwrapKeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, mount, name } = self;
        let host = host.as_deref().unwrap_or_default();
        write!(f, "hcvault://{host}/{mount}/keys/{name}")
    }
}

fn read(text: &str) -> Option<UnwrapKeyReference> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (mount, name) = path.rsplit_once("/keys/")?;
    let right = scheme.eq_ignore_ascii_case("hcvault")
        && (host.is_empty() || is_host(host))
        && mount.split('/').all(is_name)
        && is_name(name);
    right.then(|| UnwrapKeyReference {
        host: (!host.is_empty()).then(|| host.to_owned()),
        mount: mount.to_owned(),
        name: name.to_owned(),
    })
}

fn is_host(text: &str) -> bool {
    let authority = text.parse::<Authority>();
    authority.is_ok_and(|authority| !authority.host().is_empty() && !text.contains('@'))
}

/// What stands before an `@` is no part of a reference, and may be a password.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_hidden, rest)) => format!("[hidden]@{rest}"),
        None => text.to_owned(),
    }
}
