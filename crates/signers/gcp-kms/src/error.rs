use core::{error::Error as StdError, time::Duration};

use fulcio_remote_key::{Fault, Spent};
use fulcio_signer::ErrorKind;

use crate::algorithm::SIGNING;

/// Why Google Cloud KMS, a key in it, a signature or an unwrapped key could not be had. No text has
/// a credential in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key signs in a way that certificates are not signed with.
    #[error(
        "the key {key} of Google Cloud KMS is for {algorithm}; use one of {}",
        supported()
    )]
    Algorithm {
        /// What the key is for, as Google names it.
        algorithm: String,
        /// Its resource name.
        key: String,
    },
    /// Google Cloud KMS answered with success, but not with what was asked for.
    #[error("the answer of Google Cloud KMS is not what was asked for")]
    Answer(#[source] Box<dyn StdError + Send + Sync>),
    /// Something is missing in an answer that is otherwise right.
    #[error("the answer of Google Cloud KMS has no {field}")]
    AnswerIncomplete {
        /// What is missing, by its name in the API.
        field: &'static str,
    },
    /// A CRC32C is missing or wrong: a request or an answer was damaged on the way.
    #[error("{field} of Google Cloud KMS does not fit: something was damaged on the way")]
    Checksum {
        /// What does not fit, by its name in the API.
        field: &'static str,
    },
    /// The client could not be set up: the machine has no TLS roots, or the universe domain is not
    /// that of the credentials.
    #[error("the client of Google Cloud KMS could not be set up")]
    Client(#[source] Box<dyn StdError + Send + Sync>),
    /// The credentials could not be had now, such as from a metadata service that does not answer.
    #[error(
        "the credentials for Google Cloud could not be had; outside of Google Cloud, set \
         GOOGLE_APPLICATION_CREDENTIALS to a file with them"
    )]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    /// Google does not take the credentials.
    #[error(
        "Google Cloud does not accept the credentials; check them, and the clock of this machine"
    )]
    CredentialsRefused,
    /// What GOOGLE_APPLICATION_CREDENTIALS names is no file with credentials, or whoever should
    /// give a token for them refused it.
    #[error(
        "the credentials for Google Cloud cannot be used; check the file that \
         GOOGLE_APPLICATION_CREDENTIALS names, and the service account in it"
    )]
    CredentialsUnusable(#[source] Box<dyn StdError + Send + Sync>),
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("Google Cloud KMS did not do it within {} ms", .limit.as_millis())]
    Deadline {
        /// The time given, with all tries.
        limit: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// Google Cloud KMS does not let these credentials do that.
    #[error("Google Cloud KMS refused it: {message}")]
    Denied {
        /// What Google says, cut to a bounded length.
        message: String,
    },
    /// The address is not one. It is not repeated here, for it may hold a password.
    #[error(
        "the address of Google Cloud KMS (CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS) must be \
         http:// or https:// with a host, without user, query or fragment, such as \
         https://cloudkms.googleapis.com"
    )]
    Endpoint,
    /// There is no such key, or no such version of it.
    #[error(
        "Google Cloud KMS has no {key} ({message}); check its name, its location and its project"
    )]
    KeyMissing {
        /// Its resource name.
        key: String,
        /// What Google says, cut to a bounded length.
        message: String,
    },
    /// The key is disabled, destroyed or not made yet, or there for something else.
    #[error(
        "{key} of Google Cloud KMS cannot be used ({message}); enable it, or restore it, and \
         check its purpose"
    )]
    KeyState {
        /// Its resource name.
        key: String,
        /// What Google says, cut to a bounded length.
        message: String,
    },
    /// One try took too long.
    #[error("Google Cloud KMS did not answer within {} ms", .limit.as_millis())]
    Late {
        /// How long a try may take.
        limit: Duration,
    },
    /// Google Cloud KMS was not reached, or hung up.
    #[error("Google Cloud KMS was not reached")]
    Network(#[source] Box<dyn StdError + Send + Sync>),
    /// The answer is about another key than the one that was asked for.
    #[error("Google Cloud KMS answered for {answered}, and {asked} was asked for")]
    OtherKey {
        /// The resource name in the answer.
        answered: String,
        /// The resource name in the request.
        asked: String,
    },
    /// The public half of the key is no use.
    #[error("the key {key} of Google Cloud KMS cannot be used: {source}")]
    PublicKey {
        /// Its resource name.
        key: String,
        /// Why not.
        source: fulcio_remote_key::Error,
    },
    /// What should name a key that signs does not.
    #[error(
        "{reference:?} names no key; a key in Google Cloud KMS is written as \
         gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY, with \
         /cryptoKeyVersions/NUMBER behind it for one version"
    )]
    Reference {
        /// What was given.
        reference: String,
    },
    /// Google Cloud KMS refused the request itself.
    #[error("Google Cloud KMS answered with status {status} ({code}): {message}")]
    Refused {
        /// Google's name for the reason.
        code: &'static str,
        /// What Google says, cut to a bounded length.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The request could not be made.
    #[error("the request to Google Cloud KMS could not be made")]
    Request(#[source] Box<dyn StdError + Send + Sync>),
    /// Google Cloud KMS asked for fewer requests.
    #[error("Google Cloud KMS asks for fewer requests: {message}")]
    Throttled {
        /// What Google says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Google Cloud KMS cannot do it now.
    #[error("Google Cloud KMS cannot do it now: status {status} ({code}): {message}")]
    Unavailable {
        /// Google's name for the reason.
        code: &'static str,
        /// What Google says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
    },
    /// The certificate of the endpoint is not trusted, or not that of the endpoint.
    #[error(
        "the TLS certificate of Google Cloud KMS is not accepted; SSL_CERT_FILE names what is \
         trusted instead of the roots of this machine"
    )]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
    /// What should name a key that unwraps does not.
    #[error(
        "{reference:?} names no key; a key of Google Cloud KMS that has wrapped something is \
         written as gcp-kms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY, \
         without a version"
    )]
    UnwrapReference {
        /// What was given.
        reference: String,
    },
    /// No version of the key is enabled.
    #[error("the key {key} of Google Cloud KMS has no version that is enabled; enable or make one")]
    VersionMissing {
        /// Its resource name.
        key: String,
    },
}

impl Fault for Error {
    /// There is no wildcard: a new cause must choose.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CredentialsRefused
            | Self::CredentialsUnusable(_)
            | Self::Denied { .. }
            | Self::KeyState { .. }
            | Self::VersionMissing { .. } => ErrorKind::Denied,
            Self::Algorithm { .. }
            | Self::Answer(_)
            | Self::AnswerIncomplete { .. }
            | Self::Client(_)
            | Self::Endpoint
            | Self::KeyMissing { .. }
            | Self::PublicKey { .. }
            | Self::Reference { .. }
            | Self::Refused { .. }
            | Self::Request(_)
            | Self::Untrusted(_)
            | Self::UnwrapReference { .. } => ErrorKind::Invalid,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Checksum { .. }
            | Self::Credentials(_)
            | Self::Deadline { .. }
            | Self::Late { .. }
            | Self::Network(_)
            | Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OtherKey { .. } => ErrorKind::WrongKey,
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

impl Error {
    /// What `limit` spent without success ended with.
    pub(crate) fn spent(limit: Duration, spent: Spent<Self>) -> Self {
        match spent {
            Spent::Failed(error) => error,
            Spent::Late { last, .. } => Self::Deadline {
                limit,
                last: last.map(Box::new),
            },
        }
    }

    /// As the seam to all back ends wants it.
    pub(crate) fn into_signer_error(self) -> fulcio_signer::Error {
        let (kind, wait) = (self.kind(), self.retry_after());
        fulcio_signer::Error::new(kind, self).with_retry_after(wait)
    }
}

fn supported() -> String {
    let names: Vec<_> = SIGNING.iter().map(|(name, _algorithm)| *name).collect();
    names.join(", ")
}
