use std::{io, path::PathBuf};

use pki_types::pem;

/// Why TLS cannot be spoken as was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// What is in the file is no X.509 certificate, or one of an old version.
    #[error("{} holds something that is not an X.509 certificate of version 3", path.display())]
    Certificate {
        /// The file of the certificates.
        path: PathBuf,
        /// What was found.
        source: TlsCause,
    },
    /// The file of the certificates is not PEM.
    #[error("the certificates in {} are damaged", path.display())]
    CertificatePem {
        /// The file of the certificates.
        path: PathBuf,
        /// What was found.
        source: pem::Error,
    },
    /// The key asks for a password.
    #[error(
        "the private key in {} is encrypted; store it without a password, readable by the server only",
        path.display()
    )]
    EncryptedKey {
        /// The file of the key.
        path: PathBuf,
    },
    /// No key of a kind that TLS can use.
    #[error(
        "the private key in {} cannot be used for TLS; an RSA key of 2048 bits or more, or a P-256, P-384, P-521 or Ed25519 key, is expected",
        path.display()
    )]
    Key {
        /// The file of the key.
        path: PathBuf,
        /// What was found.
        source: TlsCause,
    },
    /// The key is another than that of the certificate.
    #[error(
        "the private key in {} does not belong to the first certificate in {}",
        key.display(),
        certificate.display()
    )]
    KeyMismatch {
        /// The file of the certificates.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The key is not PEM. What was found is not told, because it may be a part of the key.
    #[error("the private key in {} is damaged", path.display())]
    KeyPem {
        /// The file of the key.
        path: PathBuf,
    },
    /// There is no certificate in the file.
    #[error(
        "{} holds no certificate; a chain in PEM is expected, the server's own certificate first",
        path.display()
    )]
    NoCertificate {
        /// The file of the certificates.
        path: PathBuf,
    },
    /// There is no key in the file.
    #[error(
        "{} holds no private key; one in PEM is expected, in PKCS #8, PKCS #1 or SEC 1",
        path.display()
    )]
    NoKey {
        /// The file of the key.
        path: PathBuf,
    },
    /// The versions and suites do not go with each other.
    #[error("no TLS is possible with these versions and cipher suites")]
    Policy(#[source] TlsCause),
    /// This server has no suite of this name.
    #[error("the cipher suite {name:?} is not one that can be used; known are {}", known.join(", "))]
    Suite {
        /// What was asked for.
        name: String,
        /// What can be asked for.
        known: Vec<String>,
    },
    /// A file cannot be read.
    #[error("{} cannot be read; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No version that can be the lowest.
    #[error("{given:?} is no version of TLS that can be the lowest; 1.2 and 1.3 can")]
    Version {
        /// What was asked for.
        given: String,
    },
}

/// What a library found wrong with a certificate, a key or a policy; it holds nothing of a key.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TlsCause(Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Der(#[from] der::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl From<der::Error> for TlsCause {
    fn from(error: der::Error) -> Self {
        Self(error.into())
    }
}

impl From<rustls::Error> for TlsCause {
    fn from(error: rustls::Error) -> Self {
        Self(error.into())
    }
}
