use core::net::IpAddr;
use std::env;

use anyhow::{Context as _, Result, bail};
use fulcio_signer::Signer as _;
use fulcio_signer_hashivault::{Error, HashivaultSigner, KeyReference, VaultConfig};
use http::{Uri, uri::Scheme};

use crate::{identity_issuers::system_roots, proxy::Proxies, usage_error::UsageError};

/// Opens the key that `flag` names, at the Vault that the environment names.
pub(crate) async fn open(reference: &KeyReference, flag: &str) -> Result<HashivaultSigner> {
    let config = config().with_context(|| flag.to_owned())?;
    let place = Place::of(&config);
    place.warn();
    let opened = HashivaultSigner::open(reference, &config).await;
    let signer = opened.map_err(|error| {
        let error = explained(error);
        match error.is::<UsageError>() {
            true => error.context(flag.to_owned()),
            false => error.context(format!("{flag}, asked of {}", place.authority)),
        }
    })?;
    tracing::info!(
        key = %reference,
        version = signer.version(),
        algorithm = %signer.algorithm(),
        vault = place.authority,
        "the issuing key is in Vault"
    );
    Ok(signer)
}

/// What the environment of this process says about Vault.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary, which hands it to the libraries"
)]
fn config() -> Result<VaultConfig> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let mut config = VaultConfig::from_variables(variable).map_err(explained)?;
    if config.roots.is_empty() {
        if let Some(file) = variable("VAULT_CACERT").or_else(|| variable("BAO_CACERT")) {
            bail!("VAULT_CACERT or BAO_CACERT: {file} holds no PEM block CERTIFICATE");
        }
        config.roots = system_roots();
    }
    Ok(config)
}

/// Tells a variable that has to say something else from everything that went wrong otherwise.
fn explained(error: Error) -> anyhow::Error {
    let wrong = match &error {
        Error::Address => "VAULT_ADDR or BAO_ADDR".to_owned(),
        Error::AddressMissing | Error::TokenMalformed | Error::TokenMissing => error.to_string(),
        Error::Mount { .. } => "TRANSIT_SECRET_ENGINE_PATH".to_owned(),
        Error::Namespace { .. } => "VAULT_NAMESPACE or BAO_NAMESPACE".to_owned(),
        _ => return error.into(),
    };
    anyhow::Error::new(error).context(UsageError::new(wrong))
}

/// Where Vault is.
struct Place {
    address: String,
    /// Host and port; the rest of an address that cannot be meant may hold a password.
    authority: String,
    /// Whether the token goes over a network as it is.
    readable: bool,
}

impl Place {
    fn of(config: &VaultConfig) -> Self {
        let uri = config
            .address
            .parse()
            .unwrap_or_else(|_not_a_uri| Uri::default());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (_user, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = uri.host().unwrap_or_default();
        Self {
            address: config.address.clone(),
            authority: authority.to_owned(),
            readable: uri.scheme() == Some(&Scheme::HTTP) && !is_this_machine(host),
        }
    }

    fn warn(&self) {
        let vault = &self.authority;
        if self.readable {
            tracing::warn!(
                vault,
                "the address of Vault begins with http://, so whoever is on the way can read the \
                 token; use https://"
            );
        }
        if let Some(proxy) = Proxies::of_this_process().proxy_for(&self.address) {
            let variable = proxy.variable;
            tracing::warn!(vault, "requests to Vault do not go through {variable}");
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use fulcio_signer_hashivault::TokenSource;

    use super::*;

    fn place(address: &str) -> Place {
        Place::of(&VaultConfig::new(address, TokenSource::File("/t".into())))
    }

    #[test]
    fn a_token_may_be_read_where_it_leaves_this_machine_without_tls() {
        for (address, readable) in [
            ("http://127.0.0.1:8200", false),
            ("http://127.1.2.3", false),
            ("http://[::1]:8200/vault", false),
            ("http://LOCALHOST:8200", false),
            ("https://vault.example.com:8200", false),
            ("http://vault.example.com:8200", true),
            ("HTTP://vault.example.com", true),
            ("http://localhost.example.com", true),
            ("http://10.0.0.1:8200", true),
            ("http://0.0.0.0:8200", true),
        ] {
            assert_eq!(place(address).readable, readable, "{address}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_told() {
        let place = place("http://user:horse@vault.example.com:8200/x");
        assert_eq!(place.authority, "vault.example.com:8200");
    }
}
