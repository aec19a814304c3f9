use crate::SctError;

/// What a log signs for: the `signed_entry` of RFC 6962 section 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6962 has these two")]
pub enum Entry<'a> {
    /// A finished certificate (`x509_entry`), in DER.
    Certificate(&'a [u8]),
    /// A precertificate (`precert_entry`).
    Precertificate {
        /// SHA-256 of the issuer's `SubjectPublicKeyInfo`.
        issuer_key_hash: [u8; 32],
        /// The DER `TBSCertificate` without the poison extension.
        tbs: &'a [u8],
    },
}

impl Entry<'_> {
    /// The bytes under a log's signature: the `digitally-signed` struct of RFC 6962 section 3.2.
    ///
    /// `timestamp` is in milliseconds since the Unix epoch; `extensions` is what will stand in the
    /// timestamp's `CtExtensions`. Logs sign this, clients verify it.
    ///
    /// # Errors
    /// The certificate or the extensions are longer than the struct can say.
    pub fn to_be_signed(&self, timestamp: u64, extensions: &[u8]) -> Result<Vec<u8>, SctError> {
        let (kind, issuer_key_hash, body): (u16, &[u8], &[u8]) = match self {
            Self::Certificate(der) => (X509_ENTRY, &[], der),
            Self::Precertificate {
                issuer_key_hash,
                tbs,
            } => (PRECERT_ENTRY, issuer_key_hash, tbs),
        };
        let [0, length @ ..] = u32::try_from(body.len())
            .map_err(|_too_long| SctError::TooLong)?
            .to_be_bytes()
        else {
            return Err(SctError::TooLong);
        };
        let extensions_length =
            u16::try_from(extensions.len()).map_err(|_too_long| SctError::TooLong)?;

        let mut out = Vec::with_capacity(FIXED + 32 + body.len() + extensions.len());
        out.extend_from_slice(&[V1, CERTIFICATE_TIMESTAMP]);
        out.extend_from_slice(&timestamp.to_be_bytes());
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(issuer_key_hash);
        out.extend_from_slice(&length);
        out.extend_from_slice(body);
        out.extend_from_slice(&extensions_length.to_be_bytes());
        out.extend_from_slice(extensions);
        Ok(out)
    }
}

const V1: u8 = 0;
const CERTIFICATE_TIMESTAMP: u8 = 0;
const X509_ENTRY: u16 = 0;
const PRECERT_ENTRY: u16 = 1;
/// Version, signature type, timestamp, entry type and the two lengths.
const FIXED: usize = 1 + 1 + 8 + 2 + 3 + 2;
