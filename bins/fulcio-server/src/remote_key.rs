use core::time::Duration;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use fulcio_cert_builder::CaChain;
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock};
use fulcio_signer_backends::{Error, LocatedKey, OpenOptions, SignerUri, locate};

use crate::{
    input_file,
    key_service::KeyService,
    network::{Network, variable},
    usage_error::UsageError,
};

/// An issuing key that is opened by its URI, and the file of its certificates.
#[derive(Clone, Debug)]
pub(crate) struct RemoteKey {
    /// The PEM file of the chain.
    pub(crate) chain: PathBuf,
    /// The flag that names it.
    pub(crate) chain_flag: &'static str,
    /// The flags that name the key, with their values.
    pub(crate) named: String,
    /// How long one try of a signature may take, and how long all; the back end has usual times.
    pub(crate) timeouts: Option<(Duration, Duration)>,
    pub(crate) uri: String,
}

impl RemoteKey {
    /// Reads the chain, opens the key, and puts them together.
    pub(crate) async fn open(&self, network: &Network) -> Result<IssuingKey> {
        let located = self
            .locate(network)
            .map_err(|error| self.explained(error))?;
        let chain_flag = format!("{} {}", self.chain_flag, self.chain.display());
        let pem = input_file::read(&chain_flag, &self.chain)?;
        let chain =
            CaChain::from_pem(&pem, SystemClock.now()).with_context(|| chain_flag.clone())?;

        let service = located.service().map(KeyService::from);
        if let Some(service) = &service {
            service.warn(&network.proxies);
        }
        let opened = located.open().await.map_err(|error| {
            // A keyset is in a file, whoever decrypts it.
            let asked = !matches!(error, Error::Tink(_)) && !error.is_setting();
            match service.as_ref().and_then(KeyService::host) {
                Some(host) if asked => {
                    let named = &self.named;
                    anyhow::Error::new(error).context(format!("{named}, asked of {host}"))
                }
                _ => self.explained(error),
            }
        })?;
        tracing::info!(
            key = opened.name,
            algorithm = %opened.signer.algorithm(),
            "the issuing key is open"
        );
        let is = if opened.name == self.uri {
            String::new()
        } else {
            format!(", which is {}", opened.name)
        };
        IssuingKey::new(chain, opened.signer)
            .with_context(|| format!("{chain_flag} and {}{is}", self.named))
    }

    fn locate(&self, network: &Network) -> Result<LocatedKey, Error> {
        let mut options = OpenOptions::new()
            .with_roots(network.roots.to_vec())
            .with_variables(variable);
        if let Some((one_try, all_tries)) = self.timeouts {
            options = options.with_timeouts(one_try, all_tries);
        }
        locate(&SignerUri::parse(&self.uri)?, &options)
    }

    /// Tells a setting that has to be another from everything that went wrong otherwise.
    fn explained(&self, error: Error) -> anyhow::Error {
        let is_setting = error.is_setting();
        let error = anyhow::Error::new(error);
        if is_setting {
            error.context(UsageError::new(self.named.clone()))
        } else {
            error.context(self.named.clone())
        }
    }
}

/// A flag with its URI. What stands before an `@` is no part of a reference, and may be a password.
pub(crate) fn shown(flag: &str, uri: &str) -> String {
    let hidden = uri.split_once("://").and_then(|(scheme, rest)| {
        let (_hidden, rest) = rest.rsplit_once('@')?;
        Some(format!("{flag} {scheme}://[hidden]@{rest}"))
    });
    hidden.unwrap_or_else(|| format!("{flag} {uri}"))
}
