use core::time::Duration;
use std::thread::sleep;

use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{self, FetchError, Reader};

use crate::{Client, Error, Verified};

/// That a log holds a certificate, proven from what the log has published and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inclusion {
    /// The certificate's place in the log.
    pub leaf_index: u64,
    /// How many entries the tree had from which it was proven.
    pub tree_size: u64,
}

/// Has the log behind `log` prove that it holds the precertificate of `verified`
/// (c2sp.org/static-ct-api). `origin` is what the log calls itself in its checkpoints: as a rule its
/// URL without the scheme.
///
/// A log publishes a moment after it has promised to. The proof is waited for, up to
/// [`PATIENCE`].
///
/// # Errors
/// The log cannot be read, is not the log with this key, or does not hold the precertificate.
pub fn prove_inclusion(
    log: &Client,
    origin: &str,
    key: &LogKey,
    verified: &Verified,
) -> Result<Inclusion, Error> {
    let reader = Reader::new(
        |path: &str| fetch(log, path),
        origin.to_owned(),
        key.clone(),
    );
    let entry = verified.precertificate.entry();
    let mut waited = Duration::ZERO;
    loop {
        let checkpoint = reader.checkpoint().map_err(Error::Inclusion)?;
        match reader.inclusion_of(&checkpoint, entry, &verified.timestamp) {
            Ok(proof) => {
                return Ok(Inclusion {
                    leaf_index: proof.index,
                    tree_size: checkpoint.size(),
                });
            }
            Err(reader::Error::NotInTree { .. }) if waited < PATIENCE => {
                sleep(STEP);
                waited += STEP;
            }
            Err(error) => return Err(Error::Inclusion(error)),
        }
    }
}

/// How long a log may take to publish what it has promised, before that is an error.
pub const PATIENCE: Duration = Duration::from_secs(5);

const STEP: Duration = Duration::from_millis(50);

fn fetch(log: &Client, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
    match log.bytes(&format!("/{path}")) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
