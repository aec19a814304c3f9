use core::time::Duration;
use std::{io, path::PathBuf};

use fulcio_remote_key::Error as KeyError;
use fulcio_signer::ErrorKind;

use crate::{CallError, ConfigError, KeyReference, TokenChoice, call::Meaning};

/// Why a token, a key in it or a signature could not be had. No text has a PIN in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key wants the PIN again for each signature.
    #[error(
        "the {key} wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE), which a server \
         cannot give; make a key without that"
    )]
    AlwaysAuthenticate {
        /// Which key.
        key: KeyReference,
    },
    /// Everything that signs is busy, and many wait already.
    #[error("the token does not keep up: {waiting} signatures wait for it")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// A PKCS#11 function did not do what it was asked.
    #[error("the token failed: {0}")]
    Call(#[from] CallError),
    /// What is stored under this identifier is no certificate.
    #[error("what the token stores as the certificate with the id {id} is damaged")]
    CertificateMalformed {
        /// As characters, where it has some.
        id: String,
        /// What is wrong.
        source: der::Error,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It took too long.
    #[error("the token did not answer within {}", seconds(*.0))]
    Deadline(Duration),
    /// The token has no such key.
    #[error("the token has no {key}; its private keys are {}", list(others))]
    KeyNotFound {
        /// Which key was meant.
        key: KeyReference,
        /// The keys that it has.
        others: Vec<String>,
    },
    /// The login failed for another reason than the PIN.
    #[error("the token lets nobody log in: {0}")]
    Login(#[source] CallError),
    /// The key is there for something else.
    #[error("the {key} may not sign (its CKA_SIGN is false)")]
    MayNotSign {
        /// Which key.
        key: KeyReference,
    },
    /// The module cannot be loaded, or is none.
    #[error(
        "the PKCS#11 module {} cannot be loaded: {source}; check \"Path\" in the configuration",
        path.display()
    )]
    Module {
        /// Where it should be.
        path: PathBuf,
        /// What the loader says.
        source: CallError,
    },
    /// The public half of the key is not in the token.
    #[error(
        "the token has the private half of the {key} only: neither a public key nor a \
         certificate with the same id is in it"
    )]
    NoPublicKey {
        /// Which key.
        key: KeyReference,
    },
    /// One more wrong PIN would lock the token.
    #[error(
        "the token says that one more wrong PIN locks it, so the PIN was not tried; log in once \
         with the right one by another tool, such as pkcs11-tool --login"
    )]
    PinLastTry,
    /// The PIN is locked.
    #[error("the PIN of the token is locked; its security officer can set a new one")]
    PinLocked,
    /// The token wants a PIN, and there is none.
    #[error("the token wants a PIN, and the configuration has none (\"Pin\")")]
    PinMissing,
    /// The token did not take the PIN, now or earlier in this process: it is tried only once.
    #[error(
        "the token does not take the PIN (\"Pin\" in the configuration); it was tried once and \
         will not be tried again, so that the token does not lock"
    )]
    PinRefused,
    /// The public half of the key is no use.
    #[error("the key in the token cannot be used: {0}")]
    PublicKey(#[source] KeyError),
    /// Several keys fit.
    #[error("{} private keys of the token fit the {key}; their ids are {}", ids.len(), list(ids))]
    SeveralKeys {
        /// Which key was meant.
        key: KeyReference,
        /// The identifiers of those that fit.
        ids: Vec<String>,
    },
    /// Several tokens fit.
    #[error("{count} tokens of the module are a {token}; say \"TokenSerial\" instead")]
    SeveralTokens {
        /// Which token was meant.
        token: TokenChoice,
        /// How many there are.
        count: usize,
    },
    /// What came back does not verify.
    #[error("the token answered with a signature that does not verify with the public key")]
    Signature(#[source] KeyError),
    /// No thread could be started.
    #[error("no thread could be started")]
    Thread(#[source] io::Error),
    /// The thread that should have answered is gone.
    #[error("the thread that spoke with the token has ended")]
    ThreadEnded,
    /// The module has no such token.
    #[error(
        "the module has no {token}; the tokens that it has are {}",
        list(others)
    )]
    TokenNotFound {
        /// Which token was meant.
        token: TokenChoice,
        /// The labels of those that it has.
        others: Vec<String>,
    },
}

impl Error {
    /// Whether a new session, or a module begun anew, may help.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Call(call) => call.meaning() == Meaning::Lost,
            Self::TokenNotFound { .. } => true,
            _ => false,
        }
    }

    /// What it means for the next try of a signature. No wildcard: a new cause must choose.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Call(call) => match call.meaning() {
                Meaning::Lost => ErrorKind::Unavailable,
                Meaning::Denied => ErrorKind::Denied,
                Meaning::Exhausted => ErrorKind::Throttled,
                Meaning::Other => ErrorKind::Invalid,
            },
            Self::Busy { .. } => ErrorKind::Throttled,
            Self::Deadline(_)
            | Self::Login(_)
            | Self::Module { .. }
            | Self::Thread(_)
            | Self::ThreadEnded
            | Self::TokenNotFound { .. } => ErrorKind::Unavailable,
            Self::AlwaysAuthenticate { .. }
            | Self::MayNotSign { .. }
            | Self::PinLastTry
            | Self::PinLocked
            | Self::PinMissing
            | Self::PinRefused => ErrorKind::Denied,
            Self::Signature(_) => ErrorKind::WrongKey,
            Self::CertificateMalformed { .. }
            | Self::Config(_)
            | Self::KeyNotFound { .. }
            | Self::NoPublicKey { .. }
            | Self::PublicKey(_)
            | Self::SeveralKeys { .. }
            | Self::SeveralTokens { .. } => ErrorKind::Invalid,
        }
    }
}

impl From<cryptoki::error::Error> for Error {
    fn from(error: cryptoki::error::Error) -> Self {
        Self::Call(CallError::new(error))
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}
