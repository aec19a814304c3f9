use std::{borrow::Cow, sync::Arc};

use fulcio_api::Part;
use fulcio_identity::{Config, Issuers};

use crate::Probe;

/// Says whether the keys of one identity provider could be had when they were fetched last.
///
/// A provider that cannot be reached is named, and stops nothing: all nodes of a service ask the same
/// providers, and one that took no more requests would never find out that they are back.
#[derive(Debug)]
pub struct IssuerProbe {
    issuers: Arc<Issuers>,
    /// The URL or the pattern, as configured.
    address: String,
    name: String,
}

impl IssuerProbe {
    /// A probe for each issuer of `config`, from which `issuers` were made.
    pub fn all<'a>(
        config: &'a Config,
        issuers: &'a Arc<Issuers>,
    ) -> impl Iterator<Item = Self> + 'a {
        config.issuers().map(|issuer| {
            let address = issuer.address.as_str().to_owned();
            Self {
                issuers: Arc::clone(issuers),
                name: format!("issuer {address}"),
                address,
            }
        })
    }
}

impl Probe for IssuerProbe {
    fn part(&self) -> Part {
        let name = Cow::Owned(self.name.clone());
        match self.issuers.last_failure(&self.address) {
            None => Part::ready(name),
            Some(error) => {
                let reason = error.reason();
                let fault = format!("its keys could not be fetched the last time ({reason})");
                Part::at_fault(name, fault).dispensable()
            }
        }
    }
}
