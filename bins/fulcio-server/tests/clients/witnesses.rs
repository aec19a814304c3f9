use std::path::Path;

use super::{rekor::Rekor, timestamp_authority::TimestampAuthority};

/// Those who testify when a signature was made: a log of signatures and a timestamp authority.
#[derive(Debug)]
pub(crate) struct Witnesses {
    pub(crate) rekor: Rekor,
    pub(crate) stamps: TimestampAuthority,
}

impl Witnesses {
    /// New ones that leave `rekor.pub` and `stamps.pem` in `folder`.
    pub(crate) fn start(rekor: &Path, folder: &Path) -> Self {
        Self {
            rekor: Rekor::start(rekor, folder),
            stamps: TimestampAuthority::start(folder),
        }
    }
}
