use core::time::Duration;

use fulcio_signer::Algorithm;

/// Why a key or a signature from far away is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A signer says that it signs in another way than its own public key allows.
    #[error("the signer says that it signs with {said}, and its public key is for {key}")]
    AlgorithmOfAnotherKey {
        /// What it says.
        said: Algorithm,
        /// What the key is for.
        key: Algorithm,
    },
    /// What should be a public key is not one.
    #[error("the public key is damaged")]
    KeyMalformed(#[source] der::Error),
    /// The cryptography that is to verify with the key does not take it.
    #[error("the public key is not a valid key for {algorithm}: {source}")]
    KeyRejected {
        /// What it should be good for.
        algorithm: Algorithm,
        /// Why not.
        source: aws_lc_rs::error::KeyRejected,
    },
    /// One try took too long.
    #[error("there was no answer within {} ms", .limit.as_millis())]
    Late {
        /// How long a try may take.
        limit: Duration,
    },
    /// An RSA key of a length that is not used.
    #[error("the RSA key has {bits} bits; use one of 2048 to 4096")]
    RsaLength {
        /// How long it is.
        bits: usize,
    },
    /// What should be `r || s` cannot be.
    #[error("{bytes} bytes are not the two numbers of an ECDSA signature")]
    SignatureLength {
        /// How many came.
        bytes: usize,
    },
    /// A kind of key that a certificate authority of ours does not sign with.
    #[error(
        "the key is of a kind that is not used ({kind}); use ECDSA on P-256, P-384 or P-521, \
         Ed25519, or RSA of 2048 to 4096 bits"
    )]
    Unsupported {
        /// What it is called, or its object identifier.
        kind: String,
    },
    /// What came back is not a signature of the key over the message.
    #[error("the signature that came back does not verify with the public key")]
    Unverified,
}
