use core::fmt;
use std::{io, net::IpAddr, sync::Arc};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use crate::{Addresses, address::Unpermitted};

/// What the names of hosts mean, in place of the system's resolver.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// The addresses of `host`, best first. It is asked on a thread that may block.
    ///
    /// # Errors
    /// The name means nothing, or nobody can say.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Finds the addresses to connect to, and leaves out those that may not be.
///
/// The connection is made to what this returns; nothing is looked up again in between.
#[derive(Debug)]
pub(crate) struct PermittedAddresses {
    permitted: Addresses,
    lookup: Option<Arc<dyn Lookup>>,
    system: DefaultResolver,
}

impl PermittedAddresses {
    pub(crate) fn new(permitted: Addresses, lookup: Option<Arc<dyn Lookup>>) -> Self {
        Self {
            permitted,
            lookup,
            system: DefaultResolver::default(),
        }
    }

    fn found(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(lookup) = &self.lookup else {
            return self.system.resolve(uri, config, timeout);
        };
        let host = uri.host().unwrap_or_default();
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let mut found = self.empty();
        for address in lookup.addresses(host)?.into_iter().take(MOST) {
            found.push((address, port).into());
        }
        Ok(found)
    }
}

/// How many addresses there is room for.
const MOST: usize = 16;

impl Resolver for PermittedAddresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.found(uri, config, timeout)?;
        // Whoever configured a proxy has chosen its machine.
        let is_proxy = config.proxy().is_some_and(|proxy| {
            uri.host() == Some(proxy.host()) && uri.port_u16() == Some(proxy.port())
        });
        if is_proxy {
            return Ok(found);
        }
        let mut permitted = self.empty();
        for address in &found[..] {
            if self.permitted.permit(address.ip()) {
                permitted.push(*address);
            }
        }
        match (permitted.is_empty(), found.first()) {
            (false, _) => Ok(permitted),
            (true, Some(address)) => Err(ureq::Error::Other(Box::new(Unpermitted(address.ip())))),
            (true, None) => Err(ureq::Error::HostNotFound),
        }
    }
}
