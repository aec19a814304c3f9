//! CRC32C over what goes to Google Cloud KMS and what comes back.

use crate::Error;

/// The checksum of `bytes`, in the type that Google's messages have for it.
pub(crate) fn checksum(bytes: &[u8]) -> i64 {
    crc32c::crc32c(bytes).into()
}

/// The bytes again, which came with a checksum that is called `field`.
pub(crate) fn undamaged<T: AsRef<[u8]>>(
    bytes: T,
    sum: Option<i64>,
    field: &'static str,
) -> Result<T, Error> {
    if sum == Some(checksum(bytes.as_ref())) {
        Ok(bytes)
    } else {
        Err(Error::Checksum { field })
    }
}
