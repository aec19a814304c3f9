use core::{convert::Infallible, fmt, time::Duration};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use der::Decode as _;
use fulcio_issuance::Clock;
use pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::sign::any_supported_type,
    sign::{CertifiedKey, SigningKey, SingleCertAndKey},
};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use x509_cert::{Certificate, time::Validity};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Reload, ReloadMetrics, ReloadRequests, TlsError, TlsPolicy, WatchedFiles};

/// How one port speaks TLS, with a certificate and a key out of files that may be replaced at any time.
///
/// A [`Listener`](crate::Listener) that has it watches both files. Connections that come after a change get the new
/// certificate, those that are there live on, and a pair that cannot be used changes nothing. Clients are not asked for
/// certificates; HTTP/2 and HTTP/1.1 are offered by ALPN (RFC 7301).
pub struct Tls {
    pair: Arc<Pair>,
    reload: Reload,
    current: Current,
}

/// Where a server's certificate and its key are. They can be one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of paths")]
pub struct TlsFiles {
    /// The chain in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// The key of the first certificate in PEM, not encrypted: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// What connections from now on get.
#[derive(Clone)]
pub(crate) struct Current(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads certificate and key from `files`.
    ///
    /// A certificate that has expired, or is not valid yet, is used all the same, since some clients do not look; it is
    /// logged.
    ///
    /// # Errors
    /// A file cannot be read or does not hold what it should, or the key is not that of the certificate.
    pub async fn open(
        files: TlsFiles,
        policy: TlsPolicy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TlsError> {
        let watched = WatchedFiles::new([files.certificate.clone(), files.key.clone()]).await;
        let pair = Arc::new(Pair {
            files,
            policy,
            clock,
        });
        let config = Arc::clone(&pair).load().await?;
        let what = format!(
            "the TLS certificate in {}",
            pair.files.certificate.display()
        );
        Ok(Self {
            pair,
            reload: Reload::of(what).watching(watched),
            current: Current(Arc::new(ArcSwap::new(config))),
        })
    }

    /// Looks at the files each `interval`, instead of each second.
    #[must_use]
    pub fn with_watch_interval(mut self, interval: Duration) -> Self {
        self.reload = self.reload.with_interval(interval);
        self
    }

    /// Reads the files again when somebody asks, too, and counts what comes of it.
    #[must_use]
    pub fn with_reloads(mut self, requests: &ReloadRequests, metrics: ReloadMetrics) -> Self {
        self.reload = self.reload.asked_by(requests).counted_by(metrics);
        self
    }

    pub(crate) fn current(&self) -> Current {
        self.current.clone()
    }

    /// Takes changed files into use, until it is dropped.
    pub(crate) async fn reload(self) -> Infallible {
        let Self {
            pair,
            reload,
            current,
        } = self;
        reload
            .run(|| {
                let (pair, current) = (Arc::clone(&pair), current.clone());
                async move {
                    current.0.store(pair.load().await?);
                    Ok::<_, TlsError>(())
                }
            })
            .await
    }
}

impl Current {
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }
}

/// What a configuration of TLS is made from.
struct Pair {
    files: TlsFiles,
    policy: TlsPolicy,
    clock: Arc<dyn Clock>,
}

impl Pair {
    async fn load(self: Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let path = self.files.certificate.clone();
        let loaded = spawn_blocking(move || self.config()).await;
        loaded.unwrap_or_else(|error| {
            Err(TlsError::Unreadable {
                path,
                source: error.into(),
            })
        })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(self.policy.provider()))
            .with_protocol_versions(self.policy.versions())
            .map_err(|error| TlsError::Policy(error.into()))?;
        let chain = self.chain()?;
        let certified = CertifiedKey::new(chain, self.key()?);
        certified.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
                certificate: self.files.certificate.clone(),
                key: self.files.key.clone(),
            },
            _ => TlsError::Certificate {
                path: self.files.certificate.clone(),
                source: error.into(),
            },
        })?;
        let mut config = builder
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let path = &self.files.certificate;
        let pem = read(path)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|source| TlsError::CertificatePem {
                path: path.clone(),
                source,
            })?;
        let mut validity = None;
        for certificate in &chain {
            let certificate =
                Certificate::from_der(certificate).map_err(|source| TlsError::Certificate {
                    path: path.clone(),
                    source: source.into(),
                })?;
            validity.get_or_insert(*certificate.tbs_certificate().validity());
        }
        match validity {
            Some(validity) => self.judge(&validity),
            None => return Err(TlsError::NoCertificate { path: path.clone() }),
        }
        Ok(chain)
    }

    /// Says so if clients that look at the dates will not like the certificate.
    fn judge(&self, validity: &Validity) {
        let now = self.clock.now();
        let path = self.files.certificate.display();
        let (first, last) = (validity.not_before, validity.not_after);
        if last.to_system_time() < now {
            tracing::warn!(
                "the TLS certificate in {path} expired at {last}; replace the file, it is read again"
            );
        } else if now < first.to_system_time() {
            tracing::warn!(
                "the TLS certificate in {path} is not valid before {first}; look at the clocks"
            );
        }
    }

    fn key(&self) -> Result<Arc<dyn SigningKey>, TlsError> {
        let path = &self.files.key;
        let pem = read(path)?;
        if is_encrypted(&pem) {
            return Err(TlsError::EncryptedKey { path: path.clone() });
        }
        let mut der = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey { path: path.clone() },
            _ => TlsError::KeyPem { path: path.clone() },
        })?;
        let key = any_supported_type(&der);
        der.zeroize();
        key.map_err(|source| TlsError::Key {
            path: path.clone(),
            source: source.into(),
        })
    }
}

/// The contents of a file that may hold a key.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let contents = fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(Zeroizing::new(contents))
}

/// Whether a key has a password, in the way of PKCS #8 (RFC 5958) or in that of RFC 1421.
fn is_encrypted(pem: &[u8]) -> bool {
    let has = |mark: &[u8]| pem.windows(mark.len()).any(|window| window == mark);
    has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(b"Proc-Type: 4,ENCRYPTED")
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.pair.files)
            .field("policy", &self.pair.policy)
            .finish_non_exhaustive()
    }
}
