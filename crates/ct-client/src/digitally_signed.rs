use crate::{
    SctError,
    tls::{Reader, write_vector},
};

/// A signature and how it was made (`DigitallySigned`, RFC 5246 section 4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 5246 has these two fields")]
pub struct DigitallySigned {
    /// How it was made.
    pub scheme: SignatureScheme,
    /// The signature: a DER `ECDSA-Sig-Value` for ECDSA, the bare bytes for RSA and Ed25519.
    pub signature: Vec<u8>,
}

/// A pair of hash and signature algorithm (`SignatureAndHashAlgorithm`, RFC 5246 section 7.4.1.4.1).
///
/// RFC 6962 section 2.1.4 lets logs sign with ECDSA on P-256 or RSA, both with SHA-256; the others
/// are what logs outside the public web use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a name for bytes")]
pub struct SignatureScheme(pub [u8; 2]);

impl SignatureScheme {
    /// ECDSA with SHA-256.
    pub const ECDSA_SHA256: Self = Self([4, 3]);
    /// ECDSA with SHA-384.
    pub const ECDSA_SHA384: Self = Self([5, 3]);
    /// Ed25519 (RFC 8422 section 5.1.3).
    pub const ED25519: Self = Self([8, 7]);
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub const RSA_SHA256: Self = Self([4, 1]);
}

impl DigitallySigned {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, SctError> {
        Ok(Self {
            scheme: SignatureScheme(reader.array()?),
            signature: reader.vector()?.to_vec(),
        })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.scheme.0);
        write_vector(out, &self.signature);
    }
}
