use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use fulcio_identity::{
    Config, ConfigError, IssuerAddress, IssuerConfig, Issuers, Problem, UnknownKeys,
};
use fulcio_oidc_verify::{Addresses, Fetch, HttpOptions};
use fulcio_server::Metrics;

use crate::{
    cluster::ask_cluster,
    input_file,
    network::{Network, SystemRoots},
    proxied_fetch::ProxiedFetch,
    proxy::Proxies,
    values::Switch,
};

/// Whose identities are certified.
#[derive(Debug, Args)]
#[command(next_help_heading = "Identity providers")]
pub(crate) struct IdentityFlags {
    /// The issuer configuration, YAML or JSON; when the default is not there, config.json beside it.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATHS[0])]
    config_path: PathBuf,
    /// Trust the identity providers of the public Sigstore when no configuration file is given.
    #[arg(long, value_name = "BOOL", default_value = "false")]
    public_good_issuers: Switch,
    /// Warn of unknown keys in the configuration instead of refusing them.
    #[arg(long, value_name = "BOOL", default_value = "false")]
    tolerate_unknown_keys: Switch,
}

/// Whoever can vouch for callers, by which configuration.
#[derive(Clone, Debug)]
pub(crate) struct ConfiguredIssuers {
    pub(crate) config: Arc<Config>,
    pub(crate) issuers: Arc<Issuers>,
}

/// Where the configuration is when no path is given.
const DEFAULT_PATHS: [&str; 2] = [
    "/etc/fulcio-config/config.yaml",
    "/etc/fulcio-config/config.json",
];

impl IdentityFlags {
    /// Reads the configuration, and gets ready to authenticate by it. The keys that `earlier` has
    /// fetched are kept.
    pub(crate) fn issuers(
        &self,
        network: &Network,
        metrics: &Metrics,
        earlier: Option<&ConfiguredIssuers>,
    ) -> Result<ConfiguredIssuers> {
        let config = self.config()?;
        let mut issuers = metrics.watch(issuers(&config, &network.roots, &network.proxies)?);
        if let Some(earlier) = earlier {
            issuers = issuers.resuming(&earlier.issuers);
        }
        Ok(ConfiguredIssuers {
            config: Arc::new(config),
            issuers: Arc::new(issuers),
        })
    }

    /// Reads the configuration.
    fn config(&self) -> Result<Config> {
        let Some(path) = self.path() else {
            if self.public_good_issuers.is_on() {
                return Ok(Config::public_good_defaults());
            }
            bail!(
                "there is no issuer configuration: give one with --config-path, \
                 or --public-good-issuers to trust those of the public Sigstore"
            );
        };
        let unknown_keys = if self.tolerate_unknown_keys.is_on() {
            UnknownKeys::Tolerate
        } else {
            UnknownKeys::Refuse
        };
        let text = input_file::read_text(&format!("--config-path {}", path.display()), &path)?;
        let config = Config::parse_with(&text, &path.display().to_string(), unknown_keys)
            .map_err(with_way_out)?;
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(config)
    }

    /// The file to read; none when none was asked for and none is where it is looked for.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        if self.config_path != Path::new(DEFAULT_PATHS[0]) {
            return Some(self.config_path.clone());
        }
        DEFAULT_PATHS
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
    }
}

/// Names the flag that helps, where the library, which has no flags, cannot.
fn with_way_out(error: ConfigError) -> anyhow::Error {
    match error.problem() {
        Problem::UnknownKey { nearest: None } => {
            anyhow!("{error}; remove it, or have such keys ignored with --tolerate-unknown-keys")
        }
        _ => error.into(),
    }
}

/// Whoever can vouch for callers. Operators are told of those that cannot be served.
pub(crate) fn issuers(
    config: &Config,
    roots: &SystemRoots,
    proxies: &Arc<Proxies>,
) -> Result<Issuers> {
    let fetch = |options| {
        let fetch = ProxiedFetch::new(options, Arc::clone(roots), Arc::clone(proxies))?;
        anyhow::Ok(Arc::new(fetch) as Arc<dyn Fetch>)
    };
    let shared = fetch(HttpOptions::new(Vec::new()))?;
    let issuers = Issuers::new(config, &|issuer: &IssuerConfig| {
        // Else a stranger's token could have this server ask any machine of its network.
        let may_ask_anywhere = match &issuer.address {
            IssuerAddress::Pattern(pattern) => !pattern.wildcard_in_host(),
            IssuerAddress::Url(_) => true,
        };
        let in_cluster = config.is_in_cluster(issuer);
        if may_ask_anywhere && issuer.ca_certificates.is_empty() && !in_cluster {
            return Ok(Arc::clone(&shared));
        }
        let mut options = HttpOptions::new(issuer.ca_certificates.clone());
        if !may_ask_anywhere {
            options.addresses = Addresses::Public;
        }
        if in_cluster {
            ask_cluster(&mut options, issuer.address.as_str());
        }
        Ok(fetch(options)?)
    })?;
    for unserved in issuers.unserved() {
        tracing::warn!(
            issuer = unserved.issuer,
            kind = unserved.kind.name(),
            "tokens of this issuer are refused: its type is not a known one"
        );
    }
    Ok(issuers)
}
