use core::error::Error as StdError;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Args, value_parser};
use fulcio_api::ApiMetrics;
use fulcio_server::{Gate, Rate, RateLimits, TrustedProxies};

use crate::values::{List, list};

/// How much of everything there may be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitsFlags {
    /// How many connections there may be to HTTP and gRPC together; further ones wait.
    #[arg(long, value_name = "NUMBER", default_value = "10000", value_parser = value_parser!(u32).range(1..))]
    max_connections: u32,
    /// How many connections an address (of IPv6: a /64) may have, 0 for any number. Behind a trusted
    /// proxy it is requests at once that are counted.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    max_connections_per_address: u32,
    /// How many requests are answered at once, 0 for any number; further ones are answered with 503.
    /// An address gets a place as long as it has fewer than are free.
    #[arg(long, value_name = "NUMBER", default_value = "4096")]
    max_concurrent_requests: u32,
    /// Networks of proxies and balancers whose X-Forwarded-For tells who sent a request, separated by
    /// commas, as in 10.0.0.0/8,2001:db8::1.
    #[arg(long, value_name = "NETWORKS", value_parser = networks)]
    trusted_proxies: Vec<List>,
    /// How often an address (of IPv6: a /64) may ask for certificates, as in 10/m, or 5/s:20 with up
    /// to 20 at once. Each node counts by itself.
    #[arg(long, value_name = "RATE")]
    rate_limit_address: Option<Rate>,
    /// How often certificates may be had for an identity.
    #[arg(long, value_name = "RATE")]
    rate_limit_identity: Option<Rate>,
    /// How often certificates may be had with tokens of an issuer.
    #[arg(long, value_name = "RATE")]
    rate_limit_issuer: Option<Rate>,
}

/// A list of networks.
fn networks(text: &str) -> Result<List, Box<dyn StdError + Send + Sync>> {
    let list = list(text)?;
    TrustedProxies::parse(list.iter())?;
    Ok(list)
}

impl LimitsFlags {
    /// Who gets in at the ports of the APIs.
    pub(crate) fn gate(&self, metrics: Arc<ApiMetrics>) -> Result<Arc<Gate>> {
        let networks = self.trusted_proxies.iter().flat_map(List::iter);
        let proxies = TrustedProxies::parse(networks).context("--trusted-proxies")?;
        let gate = Gate::new()
            .with_connections(count(self.max_connections))
            .with_connections_per_client(count(self.max_connections_per_address))
            .with_requests(count(self.max_concurrent_requests))
            .with_trusted_proxies(proxies)
            .counting_in(metrics);
        Ok(Arc::new(gate))
    }

    /// How often certificates may be asked for, if that is limited.
    pub(crate) fn rates(&self) -> Option<Arc<RateLimits>> {
        let mut limits = RateLimits::new();
        if let Some(rate) = self.rate_limit_address {
            limits = limits.for_each_address(rate);
        }
        if let Some(rate) = self.rate_limit_identity {
            limits = limits.for_each_identity(rate);
        }
        if let Some(rate) = self.rate_limit_issuer {
            limits = limits.for_each_issuer(rate);
        }
        (!limits.is_empty()).then(|| Arc::new(limits))
    }

    /// Lets this process open as many files as there may be connections, and those that it needs
    /// besides. Says so where the system does not permit it.
    pub(crate) fn raise_file_limit(&self) {
        let wanted = u64::from(self.max_connections) + OTHER_FILES;
        match rlimit::increase_nofile_limit(wanted) {
            Ok(limit) if limit >= wanted => {}
            Ok(limit) => tracing::warn!(
                limit,
                wanted,
                "fewer files may be open than --max-connections needs; raise the hard limit \
                 (ulimit -Hn, LimitNOFILE), or lower --max-connections"
            ),
            Err(error) => tracing::warn!(
                wanted,
                error = &error as &dyn StdError,
                "the number of files that may be open cannot be raised"
            ),
        }
    }
}

/// Files that are open besides connections of clients: keys, logs, connections to others.
const OTHER_FILES: u64 = 1000;

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
