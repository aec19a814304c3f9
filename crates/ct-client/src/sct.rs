use core::time::Duration;
use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    DigitallySigned, Entry, LogKey, SctError,
    tls::{Reader, write_vector},
};

/// A log's promise to publish a certificate (RFC 6962 section 3.2), version 1.
///
/// A log makes it, [`verify`](Self::verify) checks it. It goes into a certificate as one item of
/// a list ([`encode_sct_list`](crate::encode_sct_list)), or to the client beside it
/// ([`to_json`](Self::to_json)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCertificateTimestamp {
    log_id: [u8; 32],
    timestamp: u64,
    extensions: Vec<u8>,
    signature: DigitallySigned,
}

impl SignedCertificateTimestamp {
    /// The longest one that is taken, in bytes of its TLS encoding.
    ///
    /// Real ones are about 120 bytes, or 560 with an RSA key of 4096 bits.
    pub const MAX_LEN: usize = 2048;

    /// How far ahead of us a log's clock may run before its promise is refused.
    pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

    /// Puts a promise together, as a log does.
    ///
    /// `log_id` is SHA-256 of the log's public key, `timestamp` is in milliseconds since the Unix
    /// epoch, and `signature` is over [`Entry::to_be_signed`] with the same two other values.
    ///
    /// # Errors
    /// It is longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(
        log_id: [u8; 32],
        timestamp: u64,
        extensions: Vec<u8>,
        signature: DigitallySigned,
    ) -> Result<Self, SctError> {
        let len = FIXED + extensions.len() + signature.signature.len();
        if len > Self::MAX_LEN {
            return Err(SctError::TooLong);
        }
        Ok(Self {
            log_id,
            timestamp,
            extensions,
            signature,
        })
    }

    /// SHA-256 of the log's public key.
    #[must_use]
    pub fn log_id(&self) -> [u8; 32] {
        self.log_id
    }

    /// When the log took the certificate, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// What the log added, as it came (`CtExtensions`).
    #[must_use]
    pub fn extensions(&self) -> &[u8] {
        &self.extensions
    }

    /// The log's signature.
    #[must_use]
    pub fn signature(&self) -> &DigitallySigned {
        &self.signature
    }

    /// Reads the TLS encoding.
    ///
    /// # Errors
    /// The bytes are not one timestamp of version 1 and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, SctError> {
        let mut reader = Reader::new(bytes);
        let [version] = reader.array()?;
        if version != V1 {
            return Err(SctError::Version(version.into()));
        }
        let log_id = reader.array()?;
        let timestamp = u64::from_be_bytes(reader.array()?);
        let extensions = reader.vector()?.to_vec();
        let signature = DigitallySigned::read(&mut reader)?;
        reader.finish()?;
        Self::new(log_id, timestamp, extensions, signature)
    }

    /// Writes the TLS encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(FIXED + self.extensions.len() + self.signature.signature.len());
        out.push(V1);
        out.extend_from_slice(&self.log_id);
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        write_vector(&mut out, &self.extensions);
        self.signature.write(&mut out);
        out
    }

    /// Reads the JSON form: what a log answers (RFC 6962 section 4.1), and what clients get as a
    /// detached timestamp.
    ///
    /// # Errors
    /// The bytes are not that.
    pub fn from_json(json: &[u8]) -> Result<Self, SctError> {
        let answer: Json = serde_json::from_slice(json).map_err(SctError::Json)?;
        if answer.sct_version != u64::from(V1) {
            return Err(SctError::Version(answer.sct_version));
        }
        let log_id = base64("id", &answer.id)?
            .try_into()
            .map_err(|_other_length| SctError::Malformed)?;
        let extensions = base64("extensions", &answer.extensions)?;
        let signed = base64("signature", &answer.signature)?;
        let mut reader = Reader::new(&signed);
        let signature = DigitallySigned::read(&mut reader)?;
        reader.finish()?;
        Self::new(log_id, answer.timestamp, extensions, signature)
    }

    /// Writes the JSON form, compact, in the order of RFC 6962 section 4.1.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut signature = Vec::with_capacity(4 + self.signature.signature.len());
        self.signature.write(&mut signature);
        serde_json::to_string(&Json {
            sct_version: V1.into(),
            id: STANDARD.encode(self.log_id),
            timestamp: self.timestamp,
            extensions: STANDARD.encode(&self.extensions),
            signature: STANDARD.encode(signature),
        })
        .expect("numbers and text are always JSON")
    }

    /// Checks that `key`'s log made this promise for `entry`.
    ///
    /// With `now` given, a timestamp more than [`CLOCK_TOLERANCE`](Self::CLOCK_TOLERANCE) after
    /// it is refused.
    ///
    /// # Errors
    /// The timestamp is another log's, is signed in a way that the key does not sign, does not
    /// verify, or lies in the future.
    pub fn verify(
        &self,
        entry: &Entry<'_>,
        key: &LogKey,
        now: Option<SystemTime>,
    ) -> Result<(), SctError> {
        if self.log_id != key.id() {
            return Err(SctError::LogId);
        }
        let message = entry.to_be_signed(self.timestamp, &self.extensions)?;
        key.verify(&message, &self.signature)?;
        if let Some(now) = now {
            let now = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or(Duration::ZERO);
            let ahead = Duration::from_millis(self.timestamp).saturating_sub(now);
            if ahead > Self::CLOCK_TOLERANCE {
                return Err(SctError::Future { ahead });
            }
        }
        Ok(())
    }

    /// The place of the entry in a static-ct log, where the log says it: the `leaf_index`
    /// extension of c2sp.org/static-ct-api (type 0, 40 bits).
    ///
    /// # Errors
    /// The extensions are not a list of extensions, or the index in it is not 5 bytes, or is
    /// there twice. A log that puts anything else into its extensions gives this error as well;
    /// its promise is valid all the same.
    pub fn leaf_index(&self) -> Result<Option<u64>, SctError> {
        let mut reader = Reader::new(&self.extensions);
        let mut index = None;
        while !reader.is_empty() {
            let [kind] = reader.array()?;
            let data = reader.vector()?;
            if kind == LEAF_INDEX {
                let bytes: [u8; 5] = data
                    .try_into()
                    .map_err(|_other_length| SctError::Malformed)?;
                let value = bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                if index.replace(value).is_some() {
                    return Err(SctError::Malformed);
                }
            }
        }
        Ok(index)
    }
}

fn base64(field: &'static str, text: &str) -> Result<Vec<u8>, SctError> {
    STANDARD
        .decode(text)
        .map_err(|source| SctError::Base64 { field, source })
}

/// The JSON form. The field `signature` holds a whole `DigitallySigned`.
#[derive(Deserialize, Serialize)]
struct Json {
    sct_version: u64,
    id: String,
    timestamp: u64,
    #[serde(default)]
    extensions: String,
    signature: String,
}

const V1: u8 = 0;
/// Version, log id, timestamp, two lengths and the signature's algorithms.
const FIXED: usize = 1 + 32 + 8 + 2 + 2 + 2;
/// The extension type of c2sp.org/static-ct-api.
const LEAF_INDEX: u8 = 0;
