use core::{error::Error as _, fmt, time::Duration};

use fulcio_signer::{Error, ErrorKind};

/// One thing that is wrong with a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// `algorithm()` does not always say the same.
    AlgorithmChanges,
    /// The public key is not what `algorithm()` signs with.
    AlgorithmOfAnotherKey {
        /// What the key is, as far as it could be read.
        key: String,
    },
    /// A message was signed twice, and its signatures differ.
    AnswerChanges,
    /// The message of this many bytes was hashed, and its hash was hashed again.
    HashedTwice {
        /// The length of the message, in bytes.
        message: usize,
    },
    /// A signature did not come in time.
    Hangs {
        /// How long it was waited for.
        limit: Duration,
        /// The length of the message, in bytes.
        message: usize,
    },
    /// A message as long as a digest was taken for one and not hashed.
    NotHashed {
        /// The length of the message, in bytes.
        message: usize,
    },
    /// Two ECDSA signatures over different messages share their first number, which gives the
    /// private key away.
    NonceReused,
    /// The signer answered with an error, as it must, and its kind is another.
    OtherKind {
        /// The kind that it must be.
        expected: ErrorKind,
        /// The kind that it is.
        found: ErrorKind,
        /// What the signer said, with its causes.
        error: String,
    },
    /// `public_key()` does not always say the same.
    PublicKeyChanges,
    /// `public_key()` is not a `SubjectPublicKeyInfo` in strict DER.
    PublicKeyMalformed {
        /// Where it stops being one.
        reason: String,
    },
    /// The signer answered with an error.
    Refuses {
        /// The length of the message, in bytes.
        message: usize,
        /// What it said, with its causes.
        error: String,
    },
    /// The signature is right and encoded otherwise than X.509 wants it.
    SignatureEncoding {
        /// How it is encoded.
        found: &'static str,
    },
    /// There is a signature where there must be an error.
    SignsNonetheless {
        /// The kind that it must be of.
        expected: ErrorKind,
    },
    /// A signature that nobody waited for any longer broke the next one.
    SpoiledByCancellation,
    /// One implementation verifies the signature, and a second one does not.
    TwoOpinions {
        /// The length of the message, in bytes.
        message: usize,
    },
    /// The signature does not verify.
    WrongSignature {
        /// The length of the message, in bytes.
        message: usize,
        /// What it is instead, where that can be told.
        hint: Option<&'static str>,
    },
}

impl Finding {
    pub(super) fn hangs(limit: Duration, message: &[u8]) -> Self {
        Self::Hangs {
            limit,
            message: message.len(),
        }
    }

    pub(super) fn refuses(message: &[u8], error: &Error) -> Self {
        Self::Refuses {
            message: message.len(),
            error: told(error),
        }
    }

    pub(super) fn other_kind(expected: ErrorKind, error: &Error) -> Self {
        Self::OtherKind {
            expected,
            found: error.kind(),
            error: told(error),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmChanges => f.write_str("algorithm() must always say the same"),
            Self::AlgorithmOfAnotherKey { key } => {
                write!(f, "algorithm() does not fit the public key, which is {key}")
            }
            Self::AnswerChanges => f.write_str(
                "a message that is signed twice must have the same signature, and has not: the \
                 algorithm has nothing random",
            ),
            Self::HashedTwice { message } => write!(
                f,
                "a message of {message} bytes was hashed twice: hand the service the digest, \
                 or the message, never the digest as a message"
            ),
            Self::Hangs { limit, message } => write!(
                f,
                "no signature over {message} bytes within {} ms",
                limit.as_millis()
            ),
            Self::NotHashed { message } => write!(
                f,
                "a message of {message} bytes was taken for a digest: sign() is always given \
                 a message, however long"
            ),
            Self::NonceReused => f.write_str(
                "two ECDSA signatures over different messages share a nonce: \
                 the private key can be computed from them",
            ),
            Self::OtherKind {
                expected,
                found,
                error,
            } => write!(
                f,
                "the error must be of the kind {expected:?}, and is {found:?}: {error}"
            ),
            Self::PublicKeyChanges => f.write_str(
                "public_key() must always say the same: read it once, when the key is opened",
            ),
            Self::PublicKeyMalformed { reason } => write!(
                f,
                "public_key() is not a SubjectPublicKeyInfo in strict DER: {reason}"
            ),
            Self::Refuses { message, error } => {
                write!(f, "no signature over {message} bytes: {error}")
            }
            Self::SignatureEncoding { found } => {
                write!(f, "the signature is right, but is encoded as {found}")
            }
            Self::SignsNonetheless { expected } => write!(
                f,
                "there is a signature where an error of the kind {expected:?} must be"
            ),
            Self::SpoiledByCancellation => {
                f.write_str("a signature that was given up in the middle broke the next one")
            }
            Self::TwoOpinions { message } => write!(
                f,
                "one implementation verifies the signature over {message} bytes, and another \
                 does not"
            ),
            Self::WrongSignature { message, hint } => {
                write!(f, "the signature over {message} bytes does not verify")?;
                hint.map_or(Ok(()), |hint| write!(f, ": {hint}"))
            }
        }
    }
}

/// An error and its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
