use std::sync::Arc;

use crate::{key::SigningKey, note_key::NoteSigner};

/// Who the log is: its name, and what it signs with.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The name in its checkpoints.
    pub(crate) origin: String,
    /// The key of timestamps and checkpoints.
    pub(crate) key: Arc<SigningKey>,
    /// The key of the second signature of checkpoints.
    pub(crate) note: Option<Arc<NoteSigner>>,
}
