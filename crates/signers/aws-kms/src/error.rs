use core::{error::Error as StdError, time::Duration};

use fulcio_remote_key::Fault;
use fulcio_signer::ErrorKind;

/// Why AWS KMS, a key in it or a signature could not be had. No text has a credential in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// AWS KMS answered with success, but not with what was asked for.
    #[error("the answer of AWS KMS is not what was asked for")]
    Answer(#[source] Box<dyn StdError + Send + Sync>),
    /// Something is missing in an answer that is otherwise right.
    #[error("the answer of AWS KMS has no {field}")]
    AnswerIncomplete {
        /// What is missing, by its name in the API.
        field: &'static str,
    },
    /// The answer is longer than any that is right.
    #[error("the answer of AWS KMS is longer than {limit} bytes")]
    AnswerTooLong {
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The key did not encrypt what should be decrypted.
    #[error(
        "AWS KMS cannot decrypt it with the key {key} ({code}: {message}); it was encrypted with \
         another key or with an encryption context, or is damaged"
    )]
    Ciphertext {
        /// AWS's name for the reason.
        code: String,
        /// What the key is called.
        key: String,
        /// What AWS says, cut to a bounded length.
        message: String,
    },
    /// The credentials could not be had now, such as from a metadata service that does not answer.
    #[error("the credentials for AWS could not be had")]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    /// There are no credentials, or what should say where they are is wrong.
    #[error(
        "there are no credentials for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         give this machine, container or service account a role"
    )]
    CredentialsMissing(#[source] Box<dyn StdError + Send + Sync>),
    /// AWS does not take the credentials. What it says is not kept, for it may repeat them.
    #[error(
        "AWS does not accept the credentials ({code}); check them, and the clock of this machine"
    )]
    CredentialsRefused {
        /// AWS's name for the reason.
        code: String,
    },
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("AWS KMS did not do it within {} ms", .limit.as_millis())]
    Deadline {
        /// The time given, with all tries.
        limit: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// AWS does not let these credentials do that.
    #[error("AWS refused it ({code}): {message}")]
    Denied {
        /// AWS's name for the reason.
        code: String,
        /// What AWS says, cut to a bounded length.
        message: String,
    },
    /// A message that AWS KMS does not sign with an Ed25519 key, which takes no digest.
    #[error(
        "AWS KMS signs messages of 1 to {MAX_RAW} bytes with an Ed25519 key, and this one has \
         {bytes}; a certificate that is so long needs an ECDSA or RSA key"
    )]
    Ed25519Message {
        /// How long it is.
        bytes: usize,
    },
    /// The address is not one. It is not repeated here, for it may hold a password.
    #[error(
        "the address of AWS KMS (AWS_ENDPOINT_URL) must be http:// or https:// with a host, \
         without user, query or fragment, such as https://kms.us-east-2.amazonaws.com"
    )]
    Endpoint,
    /// There is no such key.
    #[error(
        "AWS KMS has no key {key} in the region {region}; check its name, the region and the \
         account of the credentials"
    )]
    KeyMissing {
        /// What it should be called.
        key: String,
        /// Where it was looked for.
        region: String,
    },
    /// The key is disabled, waits for its deletion, or has no key material.
    #[error(
        "the key {key} of AWS KMS cannot be used in its state ({code}: {message}); enable it, or \
         cancel its deletion"
    )]
    KeyState {
        /// AWS's name for the reason.
        code: String,
        /// What it is called.
        key: String,
        /// What AWS says, cut to a bounded length.
        message: String,
    },
    /// The key is there for something else.
    #[error(
        "the key {key} of AWS KMS is for {usage}; to sign, a key must have been made for \
         SIGN_VERIFY"
    )]
    KeyUsage {
        /// What it is called.
        key: String,
        /// What it is for, as AWS names it.
        usage: String,
    },
    /// One try took too long.
    #[error("AWS KMS did not answer within {} ms", .limit.as_millis())]
    Late {
        /// How long a try may take.
        limit: Duration,
    },
    /// AWS KMS was not reached, or hung up.
    #[error("AWS KMS was not reached")]
    Network(#[source] Box<dyn StdError + Send + Sync>),
    /// Nobody said in which region the key is.
    #[error(
        "nothing says in which region of AWS the key is: set AWS_REGION, or name the key by its ARN"
    )]
    NoRegion,
    /// An `https` address without any root to trust it by.
    #[error("AWS KMS needs at least one TLS root certificate to be trusted by")]
    NoRoots,
    /// AWS KMS signed with another key than the one that was opened: an alias was moved.
    #[error(
        "AWS KMS signed with the key {answered}, and {opened} was opened; an alias that moved to \
         another key needs a restart, with the chain of that key"
    )]
    OtherKey {
        /// What AWS KMS signed with.
        answered: String,
        /// The key whose public half is known.
        opened: String,
    },
    /// The public half of the key is no use.
    #[error("the key {key} of AWS KMS cannot be used: {source}")]
    PublicKey {
        /// What it is called.
        key: String,
        /// Why not.
        source: fulcio_remote_key::Error,
    },
    /// What should name a key does not.
    #[error(
        "{reference:?} names no key; a key in AWS KMS is written as awskms:///KEY, or with an \
         https endpoint as awskms://HOST:PORT/KEY, where KEY is alias/NAME, a key ID such as \
         1234abcd-12ab-34cd-56ef-1234567890ab, or the ARN of one of them"
    )]
    Reference {
        /// What was given.
        reference: String,
    },
    /// AWS KMS refused the request itself.
    #[error("AWS KMS answered with status {status} ({code}): {message}")]
    Refused {
        /// AWS's name for the reason.
        code: String,
        /// What AWS says, cut to a bounded length.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The request could not be made, such as to a region that is none.
    #[error("the request to AWS KMS could not be made")]
    Request(#[source] Box<dyn StdError + Send + Sync>),
    /// One of the roots is not a certificate that can be trusted.
    #[error("TLS root certificate number {} for AWS KMS cannot be used", index + 1)]
    Root {
        /// Which one, from 0.
        index: usize,
        /// Why not.
        source: rustls::Error,
    },
    /// The key does not sign in the way that certificates need.
    #[error("the key {key} of AWS KMS signs with {}, and not with {wanted}", offered.join(", "))]
    SigningAlgorithm {
        /// What it is called.
        key: String,
        /// How it signs, as AWS names it.
        offered: Vec<String>,
        /// How it should.
        wanted: String,
    },
    /// AWS KMS asked for fewer requests.
    #[error("AWS KMS asks for fewer requests ({code}): {message}")]
    Throttled {
        /// AWS's name for the reason.
        code: String,
        /// What AWS says, cut to a bounded length.
        message: String,
    },
    /// TLS could not be set up.
    #[error("TLS to AWS KMS could not be set up")]
    Tls(#[source] rustls::Error),
    /// AWS KMS cannot do it now.
    #[error("AWS KMS cannot do it now: status {status} ({code}): {message}")]
    Unavailable {
        /// AWS's name for the reason.
        code: String,
        /// What AWS says, cut to a bounded length.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The certificate of the endpoint is not trusted, or not that of the endpoint.
    #[error("the TLS certificate of AWS KMS is not accepted")]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
    /// The key that should decrypt is there for something else.
    #[error(
        "the key {key} of AWS KMS is for {usage}; to decrypt, a symmetric key must have been made \
         for ENCRYPT_DECRYPT"
    )]
    UnwrapKeyUsage {
        /// What it is called.
        key: String,
        /// What it is for, as AWS names it.
        usage: String,
    },
    /// What should name a key that decrypts does not.
    #[error(
        "{reference:?} names no key; a key in AWS KMS that decrypts is written as \
         aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID, or with alias/NAME at the end"
    )]
    UnwrapReference {
        /// What was given.
        reference: String,
    },
}

impl Fault for Error {
    /// There is no wildcard: a new cause must choose.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::CredentialsMissing(_)
            | Self::CredentialsRefused { .. }
            | Self::Denied { .. }
            | Self::KeyState { .. } => ErrorKind::Denied,
            Self::Answer(_)
            | Self::AnswerIncomplete { .. }
            | Self::AnswerTooLong { .. }
            | Self::Ciphertext { .. }
            | Self::Ed25519Message { .. }
            | Self::Endpoint
            | Self::KeyMissing { .. }
            | Self::KeyUsage { .. }
            | Self::NoRegion
            | Self::NoRoots
            | Self::PublicKey { .. }
            | Self::Reference { .. }
            | Self::Refused { .. }
            | Self::Request(_)
            | Self::Root { .. }
            | Self::SigningAlgorithm { .. }
            | Self::Tls(_)
            | Self::Untrusted(_)
            | Self::UnwrapKeyUsage { .. }
            | Self::UnwrapReference { .. } => ErrorKind::Invalid,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Credentials(_)
            | Self::Deadline { .. }
            | Self::Late { .. }
            | Self::Network(_)
            | Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OtherKey { .. } => ErrorKind::WrongKey,
        }
    }

    /// AWS KMS never says for how long it wants to be left alone.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// The longest message that AWS KMS takes undigested, in bytes.
pub(crate) const MAX_RAW: usize = 4096;
