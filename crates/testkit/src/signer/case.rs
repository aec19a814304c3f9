use core::fmt;

/// What the suite looks at, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Case {
    /// The public key is strict DER, and is for the algorithm that the signer names.
    PublicKey,
    /// Messages of every length, those of a digest's length among them, get signatures that two
    /// implementations verify: hashed once, by the right hash.
    KnownAnswers,
    /// A message that is signed again gets the same signature. ECDSA need not do so.
    SameAnswer,
    /// An ECDSA signature is an `ECDSA-Sig-Value` (RFC 3279) in strict DER.
    Der,
    /// No two ECDSA signatures over different messages share a nonce.
    Nonce,
    /// A message beyond the limits that the signer documents is refused as
    /// [`Invalid`](fulcio_signer::ErrorKind::Invalid).
    Limits,
    /// Sixteen signatures at the same time are each the signature of their own message.
    Concurrency,
    /// A signature that nobody waits for any longer does no harm to the next one.
    Cancellation,
    /// The algorithm and the public key never change.
    Constancy,
    /// Where the service signs with another key, no signature is given out.
    WrongKey,
    /// Where the service does not answer, the signer gives up in time.
    Slow,
    /// Where the service fails, the error is of the right kind.
    Failing,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::PublicKey,
        Self::KnownAnswers,
        Self::SameAnswer,
        Self::Der,
        Self::Nonce,
        Self::Limits,
        Self::Concurrency,
        Self::Cancellation,
        Self::Constancy,
        Self::WrongKey,
        Self::Slow,
        Self::Failing,
    ];
}

/// A name for the head of a column.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PublicKey => "public key",
            Self::KnownAnswers => "known answers",
            Self::SameAnswer => "same answer",
            Self::Der => "strict DER",
            Self::Nonce => "fresh nonces",
            Self::Limits => "message limits",
            Self::Concurrency => "concurrency",
            Self::Cancellation => "cancellation",
            Self::Constancy => "constancy",
            Self::WrongKey => "wrong key",
            Self::Slow => "slow",
            Self::Failing => "failing",
        })
    }
}
