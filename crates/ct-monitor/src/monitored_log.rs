use core::time::Duration;

use fulcio_ct_client::LogKey;

use crate::Protocol;

/// A log to follow.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MonitoredLog {
    /// What it is called in what is told; two logs of one monitor have two names.
    pub name: String,
    /// How it is read.
    pub protocol: Protocol,
    /// What a static-ct log calls itself in its checkpoints; empty for RFC 6962.
    pub origin: String,
    /// The key that it signs with.
    pub key: LogKey,
    /// How long it may sign nothing new, and withhold an entry, before that is an alarm.
    pub stopped_after: Duration,
}

impl MonitoredLog {
    /// A log of c2sp.org/static-ct-api, named after its origin; it is taken for stopped after an
    /// hour.
    #[must_use]
    pub fn static_ct(origin: impl Into<String>, key: LogKey) -> Self {
        let origin = origin.into();
        Self {
            name: origin.clone(),
            protocol: Protocol::StaticCt,
            origin,
            key,
            stopped_after: Duration::from_secs(60 * 60),
        }
    }

    /// A log of RFC 6962; it is taken for stopped after a day, the usual maximum merge delay.
    #[must_use]
    pub fn rfc6962(name: impl Into<String>, key: LogKey) -> Self {
        Self {
            name: name.into(),
            protocol: Protocol::Rfc6962,
            origin: String::new(),
            key,
            stopped_after: Duration::from_secs(24 * 60 * 60),
        }
    }
}
