use std::{sync::Arc, time::SystemTime};

use fulcio_api::Part;
use fulcio_cert_builder::{CaChain, Error, Validity};
use fulcio_issuance::{CertificateAuthority, Clock as _, SystemClock};
use fulcio_server::{ChainProbe, Probe};

/// The chains above new certificates, of which operators are told how long they are valid.
#[derive(Debug)]
pub(crate) enum Chains {
    /// One that stays.
    Fixed(Validity),
    /// Those of an authority that may have others the next time.
    Changing(Arc<dyn CertificateAuthority>),
}

impl Chains {
    /// When all of one chain is valid, and of several that which lasts longest; `None` where no
    /// chain is.
    pub(crate) fn validity(&self) -> Option<Validity> {
        match self {
            Self::Fixed(validity) => Some(*validity),
            Self::Changing(authority) => valid(&**authority, SystemClock.now())
                .filter_map(Result::ok)
                .map(|chain| chain.issuer().validity())
                .max_by_key(|validity| validity.not_after),
        }
    }

    /// Warns of chains that clients will not accept.
    pub(crate) fn warn(&self) {
        if let Self::Changing(authority) = self {
            for error in valid(&**authority, SystemClock.now()).filter_map(Result::err) {
                tracing::warn!("clients will not accept a chain of the authority: {error}");
            }
        }
    }
}

impl Probe for Chains {
    fn part(&self) -> Part {
        match self {
            Self::Fixed(validity) => ChainProbe::new(*validity, Arc::new(SystemClock)).part(),
            Self::Changing(authority) => {
                // Whatever else is wrong with one is not for a later time to change.
                let out_of_date = |chain: Result<CaChain, Error>| {
                    matches!(
                        chain,
                        Err(Error::Expired { .. } | Error::NotYetValid { .. })
                    )
                };
                if valid(&**authority, SystemClock.now()).all(out_of_date) {
                    Part::at_fault("ca-chain", "no chain of the authority is valid now")
                } else {
                    Part::ready("ca-chain")
                }
            }
        }
    }
}

fn valid(
    authority: &dyn CertificateAuthority,
    now: SystemTime,
) -> impl Iterator<Item = Result<CaChain, Error>> {
    let chains = authority.trust_bundle().into_iter();
    chains.map(move |chain| CaChain::new(chain, now))
}
