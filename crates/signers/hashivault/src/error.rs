use core::{error::Error as StdError, time::Duration};
use std::{io, path::PathBuf};

use fulcio_remote_key::Fault;
use fulcio_signer::ErrorKind;

/// Why Vault, a key in it or a signature could not be had. No text has a token in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one. It is not repeated here, for it may hold a password.
    #[error(
        "the address of Vault must be http:// or https:// with a host, and a path where there is \
         one, without user, query or fragment, such as https://vault.example.com:8200"
    )]
    Address,
    /// Nobody said where Vault is.
    #[error("nothing says where Vault is: set VAULT_ADDR or BAO_ADDR")]
    AddressMissing,
    /// Vault answered with success, but not with what was asked for.
    #[error("the answer of Vault is not what was asked for")]
    Answer(#[source] serde_json::Error),
    /// The answer is longer than any that is right.
    #[error("the answer of Vault is longer than {limit} bytes")]
    AnswerTooLong {
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The key did not encrypt what should be decrypted.
    #[error(
        "Vault cannot decrypt it with the key {key}: {}; it was encrypted with another key or with \
         associated data, or is damaged",
        said(errors)
    )]
    Ciphertext {
        /// What Vault says, cut to a bounded length; nothing where it was not asked, for Vault
        /// writes text.
        errors: Vec<String>,
        /// What the key is called.
        key: String,
    },
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("Vault did not do it within {} ms", .limit.as_millis())]
    Deadline {
        /// The time given, with all tries.
        limit: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// Vault does not let the token do that, or does not know the token.
    #[error("Vault refused the token or what it asks for: {}", said(errors))]
    Denied {
        /// What Vault says, cut to a bounded length.
        errors: Vec<String>,
    },
    /// A key that is another one for each context.
    #[error("the key {key} of Vault is derived, and so has no public key of its own")]
    DerivedKey {
        /// What it is called.
        key: String,
    },
    /// There is no such key, or no transit engine where it should be.
    #[error(
        "Vault has no key {key} in the transit engine at {mount}; check the name, the mount point \
         (TRANSIT_SECRET_ENGINE_PATH) and the namespace"
    )]
    KeyMissing {
        /// What it should be called.
        key: String,
        /// Where the engine should be.
        mount: String,
    },
    /// The key is there for something else.
    #[error("the key {key} of Vault is of the type {kind}, which cannot sign")]
    KeyType {
        /// What it is called.
        key: String,
        /// Its type in Vault.
        kind: String,
    },
    /// One try took too long.
    #[error("Vault did not answer within {} ms", .limit.as_millis())]
    Late {
        /// How long a try may take.
        limit: Duration,
    },
    /// The mount point cannot stand in a URL.
    #[error("the mount point of the transit engine, {mount:?}, cannot stand in a URL")]
    Mount {
        /// What was configured.
        mount: String,
        /// Why not.
        source: http::uri::InvalidUri,
    },
    /// The namespace cannot stand in a header.
    #[error("the namespace {namespace:?} cannot be sent to Vault")]
    Namespace {
        /// What was configured.
        namespace: String,
        /// Why not.
        source: http::header::InvalidHeaderValue,
    },
    /// Vault was not reached, or hung up.
    #[error("Vault was not reached")]
    Network(#[source] Box<dyn StdError + Send + Sync>),
    /// An `https` address without any root to trust it by.
    #[error("Vault needs at least one TLS root certificate to be trusted by")]
    NoRoots,
    /// Vault signed with another version of the key than it was told to.
    #[error("Vault signed with another version of the key than {expected}")]
    OtherVersion {
        /// The version that the signer was opened with.
        expected: u32,
    },
    /// What Vault decrypted is not written as Vault writes it.
    #[error("what Vault decrypted is not written in base64")]
    PlaintextMalformed,
    /// The public half of the key is no use.
    #[error("the key {key} of Vault cannot be used: {source}")]
    PublicKey {
        /// What it is called.
        key: String,
        /// Why not.
        source: fulcio_remote_key::Error,
    },
    /// Vault sent us to an address where we do not go.
    #[error("Vault redirects to where it cannot be followed: {location}")]
    Redirected {
        /// The address, cut to a bounded length.
        location: String,
    },
    /// What should name a key does not.
    #[error(
        "{reference:?} names no key; a key in Vault is written as hashivault://KEY or \
         openbao://KEY, or with its version as hashivault://KEY/versions/1; KEY has letters, \
         digits and _, with - and . between them"
    )]
    Reference {
        /// What was given.
        reference: String,
    },
    /// Vault refused the request itself.
    #[error("Vault answered with status {status}: {}", said(errors))]
    Refused {
        /// What Vault says, cut to a bounded length.
        errors: Vec<String>,
        /// The HTTP status.
        status: u16,
    },
    /// One of the roots is not a certificate that can be trusted.
    #[error("TLS root certificate number {} for Vault cannot be used", index + 1)]
    Root {
        /// Which one, from 0.
        index: usize,
        /// Why not.
        source: rustls::Error,
    },
    /// The file that should hold the roots cannot be read.
    #[error("{}: the TLS root certificates for Vault cannot be read: {source}", file.display())]
    RootsFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: pki_types::pem::Error,
    },
    /// The signature is not written as Vault writes one.
    #[error("the signature in the answer of Vault is not written as vault:v1:BASE64")]
    SignatureMalformed,
    /// Vault asked for fewer requests.
    #[error("Vault asks for fewer requests: {}", said(errors))]
    Throttled {
        /// What Vault says, cut to a bounded length.
        errors: Vec<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// TLS could not be set up.
    #[error("TLS to Vault could not be set up")]
    Tls(#[source] rustls::Error),
    /// The file that should hold the token cannot be read.
    #[error("{}: the file of Vault's token cannot be read: {source}", file.display())]
    TokenFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What should be a token cannot be sent as one.
    #[error("the token for Vault has characters that no token has")]
    TokenMalformed,
    /// There is no token.
    #[error(
        "there is no token for Vault: set VAULT_TOKEN or BAO_TOKEN, or write it to ~/.vault-token"
    )]
    TokenMissing,
    /// Vault cannot do it now: it is sealed, it has no leader, or it is broken.
    #[error("Vault answered with status {status}: {}", said(errors))]
    Unavailable {
        /// What Vault says, cut to a bounded length.
        errors: Vec<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
    },
    /// Vault's own certificate is not trusted, or is not Vault's.
    #[error("the TLS certificate of Vault is not accepted")]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
    /// What should name a key that decrypts does not.
    #[error(
        "{reference:?} names no key; a key in Vault that decrypts is written as \
         hcvault://HOST:PORT/MOUNT/keys/KEY, or as hcvault:///MOUNT/keys/KEY for the Vault of \
         VAULT_ADDR; MOUNT is most often transit"
    )]
    UnwrapReference {
        /// What was given.
        reference: String,
    },
    /// The key has no such version, or none that may still be used.
    #[error(
        "the key {key} of Vault has no version {version} that may be used; it has {}",
        numbers(others)
    )]
    VersionMissing {
        /// What it is called.
        key: String,
        /// The versions that it has.
        others: Vec<u32>,
        /// The version that was meant.
        version: u32,
    },
}

impl Fault for Error {
    /// There is no wildcard: a new cause must choose.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied { .. } | Self::TokenFile { .. } | Self::TokenMissing => ErrorKind::Denied,
            Self::Address
            | Self::AddressMissing
            | Self::Answer(_)
            | Self::AnswerTooLong { .. }
            | Self::Ciphertext { .. }
            | Self::DerivedKey { .. }
            | Self::KeyMissing { .. }
            | Self::KeyType { .. }
            | Self::Mount { .. }
            | Self::Namespace { .. }
            | Self::NoRoots
            | Self::PlaintextMalformed
            | Self::PublicKey { .. }
            | Self::Redirected { .. }
            | Self::Reference { .. }
            | Self::Refused { .. }
            | Self::Root { .. }
            | Self::RootsFile { .. }
            | Self::SignatureMalformed
            | Self::Tls(_)
            | Self::TokenMalformed
            | Self::Untrusted(_)
            | Self::UnwrapReference { .. }
            | Self::VersionMissing { .. } => ErrorKind::Invalid,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Deadline { .. }
            | Self::Late { .. }
            | Self::Network(_)
            | Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OtherVersion { .. } => ErrorKind::WrongKey,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }
}

fn said(errors: &[String]) -> String {
    if errors.is_empty() {
        "it does not say why".to_owned()
    } else {
        errors.join("; ")
    }
}

fn numbers(versions: &[u32]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    let numbers: Vec<_> = versions.iter().map(u32::to_string).collect();
    numbers.join(", ")
}
