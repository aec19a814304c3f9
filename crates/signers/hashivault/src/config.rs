use core::time::Duration;
use std::{path::PathBuf, sync::Arc};

use http::{HeaderValue, Uri, uri::Scheme};
use pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use zeroize::Zeroizing;

use crate::{Error, TokenSource};

/// Where Vault is, and who asks.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `HashivaultSigner::open`, by name"
)]
pub struct VaultConfig {
    /// The address of Vault, `http` or `https`, with whatever path it is behind.
    pub address: String,
    /// Where the transit engine is mounted.
    pub mount: String,
    /// The namespace that the engine is in, of those that have them.
    pub namespace: Option<String>,
    /// The only roots under which Vault's TLS certificate is trusted; not used for `http`.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long a signature may take, and opening the key, with all tries.
    pub timeout: Duration,
    /// The token to ask with.
    pub token: TokenSource,
    /// How long one try may take.
    pub try_timeout: Duration,
}

impl VaultConfig {
    /// The mount point that is used when nothing else is said.
    pub const MOUNT: &str = "transit";
    /// The time that a signature gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// The time that one try gets when nothing else is said.
    pub const TRY_TIMEOUT: Duration = Duration::from_secs(2);

    /// A Vault at `address` with the usual mount point and times, without namespace and roots.
    #[must_use]
    pub fn new(address: impl Into<String>, token: TokenSource) -> Self {
        Self {
            address: address.into(),
            mount: Self::MOUNT.to_owned(),
            namespace: None,
            roots: Vec::new(),
            timeout: Self::TIMEOUT,
            token,
            try_timeout: Self::TRY_TIMEOUT,
        }
    }

    /// Reads the variables that Fulcio and Vault's own tools know, from wherever the caller has
    /// them. An empty one counts as one that is not set.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `VAULT_ADDR`, `BAO_ADDR` | the address; needed |
    /// | `VAULT_TOKEN`, `BAO_TOKEN` | the token |
    /// | `HOME` | without a token, it is in the file `.vault-token` there |
    /// | `TRANSIT_SECRET_ENGINE_PATH` | the mount point |
    /// | `VAULT_NAMESPACE`, `BAO_NAMESPACE` | the namespace |
    /// | `VAULT_CACERT`, `BAO_CACERT` | a PEM file of the roots; without it there are none, and the caller may add those of the machine |
    ///
    /// `VAULT_KEY_PREFIX`, by which Fulcio tells Vault how to verify, is not read: signatures are
    /// verified here.
    ///
    /// # Errors
    /// The address or the token is missing, or the file of the roots cannot be read.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| variable(name));
            values.find(|value| !value.is_empty())
        };
        let address = first(&["VAULT_ADDR", "BAO_ADDR"]).ok_or(Error::AddressMissing)?;
        let token = match first(&["VAULT_TOKEN", "BAO_TOKEN"]) {
            Some(token) => TokenSource::Value(Zeroizing::new(token)),
            None => first(&["HOME"])
                .map(|home| PathBuf::from(home).join(".vault-token"))
                .filter(|file| file.exists())
                .map(TokenSource::File)
                .ok_or(Error::TokenMissing)?,
        };
        let mut config = Self::new(address, token);
        if let Some(mount) = first(&["TRANSIT_SECRET_ENGINE_PATH"]) {
            config.mount = mount;
        }
        config.namespace = first(&["VAULT_NAMESPACE", "BAO_NAMESPACE"]);
        if let Some(file) = first(&["VAULT_CACERT", "BAO_CACERT"]) {
            config.roots = roots(file.into())?;
        }
        Ok(config)
    }

    /// The address of something below the mount point.
    pub(crate) fn endpoint(&self, path: &str) -> Result<Uri, Error> {
        let base = self.base()?;
        let mount = self.mount.trim_matches('/');
        format!("{base}/v1/{mount}/{path}")
            .parse()
            .map_err(|source| Error::Mount {
                mount: self.mount.clone(),
                source,
            })
    }

    pub(crate) fn namespace(&self) -> Result<Option<HeaderValue>, Error> {
        let Some(namespace) = &self.namespace else {
            return Ok(None);
        };
        HeaderValue::from_str(namespace)
            .map(Some)
            .map_err(|source| Error::Namespace {
                namespace: namespace.clone(),
                source,
            })
    }

    /// TLS 1.2 or later, under the configured roots only.
    pub(crate) fn tls(&self) -> Result<ClientConfig, Error> {
        let mut store = RootCertStore::empty();
        for (index, root) in self.roots.iter().enumerate() {
            store
                .add(root.clone())
                .map_err(|source| Error::Root { index, source })?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Tls)?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(config)
    }

    fn base(&self) -> Result<&str, Error> {
        let base = self.address.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_not_a_uri| Error::Address)?;
        let https = uri.scheme() == Some(&Scheme::HTTPS);
        let plain = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
            && !base.contains(['?', '#']);
        if !plain || !(https || uri.scheme() == Some(&Scheme::HTTP)) {
            return Err(Error::Address);
        }
        if https && self.roots.is_empty() {
            return Err(Error::NoRoots);
        }
        Ok(base)
    }
}

fn roots(file: PathBuf) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(&file).and_then(Iterator::collect);
    match read {
        Ok(roots) => Ok(roots),
        Err(source) => Err(Error::RootsFile { file, source }),
    }
}
