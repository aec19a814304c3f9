use core::fmt;
use std::{thread::sleep, time::Duration};

use fulcio_ct_monitor::{Channel, ChannelError, Event, webhook_signature};
use ureq::Agent;
use zeroize::Zeroizing;

/// An HTTP endpoint that gets each event as a POST of JSON.
pub(super) struct Webhook {
    pub(super) agent: Agent,
    pub(super) name: String,
    /// What signs; without one, requests are not signed.
    pub(super) secret: Option<Zeroizing<Vec<u8>>>,
    /// It may have a secret in it, so it is not shown.
    pub(super) url: Zeroizing<String>,
}

impl Webhook {
    fn post(&self, body: &[u8]) -> Result<(), Refusal> {
        let mut request = self.agent.post(self.url.as_str());
        request = request.content_type("application/json");
        if let Some(secret) = &self.secret {
            request = request.header("Fulcio-Signature", webhook_signature(secret, body));
        }
        let answer = request.send(body).map_err(Refusal::Unreached)?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(Refusal::Status(status)),
        }
    }
}

impl Channel for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell(&self, event: &Event) -> Result<(), ChannelError> {
        let body = serde_json::to_vec(event)?;
        let mut waits = WAITS.into_iter();
        loop {
            match self.post(&body) {
                Ok(()) => return Ok(()),
                Err(refusal) if refusal.may_pass() => match waits.next() {
                    Some(wait) => sleep(wait),
                    None => return Err(refusal.into()),
                },
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("it answers with status {0}")]
    Status(u16),
    #[error("it cannot be reached")]
    Unreached(#[source] ureq::Error),
}

impl Refusal {
    /// Whether another try a moment later may end in another way.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 408 | 429 | 500..),
            Self::Unreached(_) => true,
        }
    }
}

/// Between the tries of one event. After the last one it waits for the next look at the log.
const WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
];
