//! A client of the certificate authority: it asks for a certificate, reads it, and verifies it.
//!
//! [`Client`] talks to the server, [`ClientKey`] is what the certificate is for, [`Description`]
//! reads any Fulcio certificate, and [`Trust`] verifies one: chain, usage, timestamp, identity.
//! [`LogReader`] goes one step further and has the log prove that it holds the certificate; the
//! [`LogProof`] may be kept and checked without the log.
//!
//! The command line `fulcio` and the `quickstart` of the server are made of these.
//!
//! ```
//! use fulcio_client::{Expected, Trust};
//! use fulcio_ct_client::LogKey;
//! use pki_types::{CertificateDer, pem::PemObject};
//!
//! let file = |name: &str| std::fs::read(format!("tests/data/fulcio-p384/{name}"));
//! let certificate = CertificateDer::from_pem_slice(&file("certificate.pem")?)?;
//! let chain = CertificateDer::pem_slice_iter(&file("chain.pem")?).collect::<Result<_, _>>()?;
//! let log = LogKey::from_pem(&file("ct-log.pub.pem")?)?;
//!
//! let trust = Trust::new(vec![chain], vec![log]);
//! let mut expected = Expected {
//!     identity: Some("ada@example.com".to_owned()),
//!     issuer: Some("http://127.0.0.1:5601/dev-idp".to_owned()),
//! };
//! let verified = trust.verify(&certificate, &expected)?;
//! assert_eq!(verified.description.public_key, "ECDSA P-256");
//!
//! expected.identity = Some("mallory@example.com".to_owned());
//! assert!(trust.verify(&certificate, &expected).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod description;
mod error;
mod http;
mod inclusion;
mod key;
mod log_proof;
mod log_reader;
mod path;
mod precertificate;
mod rfc6962_log;
mod static_ct_log;
mod tlog_proof;
mod tree_head;
mod verify;

pub use description::{Description, FulcioExtension, Identity, OtherExtension, Timestamp};
pub use error::Error;
pub use http::Client;
pub use inclusion::{EarlierTree, Inclusion, prove_inclusion};
pub use key::ClientKey;
pub use log_proof::LogProof;
pub use log_reader::{LogReader, PATIENCE};
use pem_rfc7468::LineEnding;
use pki_types::CertificateDer;
pub use tlog_proof::ProofError;
pub use tree_head::TreeHead;
pub use verify::{Expected, PrecertificateEntry, Trust, Verified};

/// Certificates as a PEM file (RFC 7468), in the given order.
///
/// # Errors
/// The text would not fit into memory.
pub fn to_pem(certificates: &[CertificateDer<'_>]) -> Result<String, Error> {
    certificates
        .iter()
        .map(|der| pem_rfc7468::encode_string("CERTIFICATE", LineEnding::LF, der))
        .collect::<Result<_, _>>()
        .map_err(Error::Pem)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut array = [0; 32];
    array.copy_from_slice(digest.as_ref());
    array
}
