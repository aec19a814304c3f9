use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::leaf::Hash;

/// What never changes about a log: the file that says that a folder holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The name in its checkpoints.
    pub(crate) origin: String,
    /// SHA-256 of its public key.
    pub(crate) log_id: Hash,
}

impl Manifest {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?.strip_suffix('\n')?;
        let (origin, log_id) = text.strip_prefix(HEADING)?.split_once("\nlog-id ")?;
        let manifest = Self {
            origin: origin.to_owned(),
            log_id: STANDARD.decode(log_id).ok()?.try_into().ok()?,
        };
        Some(manifest)
    }

    pub(crate) fn to_text(&self) -> String {
        let log_id = STANDARD.encode(self.log_id);
        format!("{HEADING}{}\nlog-id {log_id}\n", self.origin)
    }
}

const HEADING: &str = "fulcio-ct-log 1\norigin ";
