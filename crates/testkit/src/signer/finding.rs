use core::{fmt, time::Duration};

use fulcio_signer::Algorithm;

/// What the suite found out about a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    algorithm: Algorithm,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(algorithm: Algorithm, findings: Vec<Finding>) -> Self {
        Self {
            algorithm,
            findings,
        }
    }

    /// What is wrong, in the order in which it was found; empty when the signer conforms.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conforms() {
            return write!(f, "the signer ({}) conforms", self.algorithm);
        }
        write!(f, "the signer ({}) does not conform:", self.algorithm)?;
        for finding in &self.findings {
            write!(f, "\n  - {finding}")?;
        }
        Ok(())
    }
}

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
    /// A signature that nobody waited for any longer broke the next one.
    SpoiledByCancellation,
    /// The signature does not verify.
    WrongSignature {
        /// The length of the message, in bytes.
        message: usize,
        /// What it is instead, where that can be told.
        hint: Option<&'static str>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmChanges => f.write_str("algorithm() must always say the same"),
            Self::AlgorithmOfAnotherKey { key } => {
                write!(f, "algorithm() does not fit the public key, which is {key}")
            }
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
            Self::SpoiledByCancellation => {
                f.write_str("a signature that was given up in the middle broke the next one")
            }
            Self::WrongSignature { message, hint } => {
                write!(f, "the signature over {message} bytes does not verify")?;
                hint.map_or(Ok(()), |hint| write!(f, ": {hint}"))
            }
        }
    }
}
