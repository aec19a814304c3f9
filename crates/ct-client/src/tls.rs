//! The few shapes of the TLS presentation language (RFC 8446 section 3) that RFC 6962 uses.

use crate::SctError;

/// What is left of some bytes.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An array of known length.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], SctError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(SctError::Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    /// An `opaque<0..2^16-1>`.
    pub(crate) fn vector(&mut self) -> Result<&'a [u8], SctError> {
        let length = u16::from_be_bytes(self.array()?);
        let (head, rest) = self
            .0
            .split_at_checked(length.into())
            .ok_or(SctError::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), SctError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(SctError::Malformed)
        }
    }
}

/// Writes an `opaque<0..2^16-1>`.
///
/// # Panics
/// `bytes` is longer than that; callers bound it before.
pub(crate) fn write_vector(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("bounded by the caller");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}
