use core::{fmt, time::Duration};
use std::sync::Arc;

use fulcio_api::Part;
use fulcio_cert_builder::Validity;
use fulcio_issuance::Clock;

/// Says whether one part of the server can do its work; asked whenever somebody asks for readiness.
pub trait Probe: fmt::Debug + Send + Sync {
    /// The part, and what is wrong with it.
    fn part(&self) -> Part;
}

/// Looks at the dates of the authority's chain.
#[derive(Debug)]
pub struct ChainProbe {
    validity: Validity,
    clock: Arc<dyn Clock>,
}

impl ChainProbe {
    /// Compares `validity`, the time in which the whole chain is valid, with `clock`.
    #[must_use]
    pub fn new(validity: Validity, clock: Arc<dyn Clock>) -> Self {
        Self { validity, clock }
    }
}

/// Certificates count in seconds, and the last one belongs to them.
const SECOND: Duration = Duration::from_secs(1);

impl Probe for ChainProbe {
    fn part(&self) -> Part {
        let now = self.clock.now();
        if now < self.validity.not_before {
            Part::at_fault("ca-chain", "the authority's chain is not valid yet")
        } else if now >= self.validity.not_after + SECOND {
            Part::at_fault("ca-chain", "the authority's chain has expired")
        } else {
            Part::ready("ca-chain")
        }
    }
}
