use core::{convert::Infallible, error::Error as StdError, future::pending};
use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_challenge::PermittedAlgorithms;
use fulcio_identity::{Config, Issuers};
use fulcio_issuance::Pipeline;
use fulcio_server::{CurrentSnapshot, LogJournal, Metrics, Snapshot, WatchedFiles};

use crate::{
    authority::Authority,
    authority_flags::{AuthorityFlags, AuthoritySource},
    identity_issuers::{IdentityFlags, issuers},
    layers::Layers,
    logging::{self, LogType},
    network::Network,
    one_line,
    ports::Ports,
    stop,
    tls::TlsFlags,
    tracing_export::TraceFlags,
    transparency::{OpenLogs, TransparencyFlags},
    values::{List, Optional, list},
};

/// Run a certificate authority with the given key, log and identity providers.
///
/// Each flag can be given by the environment too, under the name that is shown with it, and in a
/// settings file. A flag wins over its variable, and a variable over the settings file.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// File with values for these flags, under their names: JSON, TOML, YAML, properties, HCL,
    /// dotenv or INI, as its extension says.
    #[arg(short, long, value_name = "FILE", default_value = "")]
    config: Optional<PathBuf>,
    #[command(flatten)]
    authority: AuthorityFlags,
    #[command(flatten)]
    identity: IdentityFlags,
    #[command(flatten)]
    transparency: TransparencyFlags,
    #[command(flatten)]
    ports: Ports,
    #[command(flatten)]
    tls: TlsFlags,
    #[command(flatten)]
    traces: TraceFlags,
    /// Signature algorithms that clients may use, separated by commas. Without the flag:
    /// ecdsa-sha2-256-nistp256, ecdsa-sha2-384-nistp384, ecdsa-sha2-512-nistp521,
    /// rsa-sign-pkcs1-2048-sha256, rsa-sign-pkcs1-3072-sha256, rsa-sign-pkcs1-4096-sha256, ed25519.
    #[arg(long, value_name = "NAMES", value_parser = algorithms, help_heading = "Requests")]
    client_signing_algorithms: Vec<List>,
    /// How log lines look: dev is text on standard output, prod is JSON on standard error.
    #[arg(
        long = "log_type",
        visible_alias = "log-type",
        value_enum,
        default_value = "dev",
        help_heading = "Logs"
    )]
    log_type: LogType,
    /// Where flags come from that are not on the command line.
    #[arg(skip)]
    pub(crate) layers: Layers,
}

/// A list of algorithms that there are.
fn algorithms(text: &str) -> Result<List, Box<dyn StdError + Send + Sync>> {
    let list = list(text)?;
    PermittedAlgorithms::from_names(list.iter())?;
    if list.iter().next().is_none() {
        return Err("an empty list would permit nothing".into());
    }
    Ok(list)
}

impl Serve {
    pub(crate) async fn run(&self) -> Result<()> {
        self.start().await.map_err(|error| {
            let places = self.layers.places(&one_line(&error));
            match places {
                Some(places) => error.context(places),
                None => error,
            }
        })
    }

    async fn start(&self) -> Result<()> {
        let source = self.authority.source()?;
        let tls = self.tls.parts()?;
        let traces = self.traces.open()?;
        logging::start(self.log_type, traces.as_ref());
        for note in &self.layers.notes {
            tracing::warn!("{note}");
        }
        let stopped = stop::signalled()?;
        let network = Network::of_this_process();
        let config = self.identity.config()?;
        let names = self.client_signing_algorithms.iter().flat_map(List::iter);
        let permitted = if self.client_signing_algorithms.is_empty() {
            PermittedAlgorithms::default()
        } else {
            PermittedAlgorithms::from_names(names).context("--client-signing-algorithms")?
        };
        // Before they are read, so that no change is missed.
        let watched = match source.watched() {
            Some(paths) => Some(WatchedFiles::new(paths).await),
            None => None,
        };
        let authority = source.open(&network).await?;
        let metrics = Metrics::new()?;
        let logs = self.transparency.open(&network.roots, &metrics)?;
        match &logs {
            Some(logs) => logs.check_roots(authority.trust_bundle().into()).await?,
            None => tracing::warn!(
                "certificates go to no transparency log, because --ct-log-url is empty"
            ),
        }
        let parts = Arc::new(Parts {
            issuers: Arc::new(metrics.watch(issuers(&config, &network.roots, &network.proxies)?)),
            metrics,
            config,
            logs,
            permitted,
        });
        let current = Arc::new(CurrentSnapshot::new(parts.snapshot(authority)));
        let reloading = follow(
            source,
            watched,
            network,
            Arc::clone(&parts),
            Arc::clone(&current),
        );
        let served = tokio::select! {
            served = self.ports.serve(&parts, current, &tls, stopped) => served,
            never = reloading => match never {},
        };
        if let Some(traces) = traces {
            traces.finish().await;
        }
        served
    }
}

/// Takes a changed key and chain into use, both or neither.
async fn follow(
    source: AuthoritySource,
    watched: Option<WatchedFiles>,
    network: Network,
    parts: Arc<Parts>,
    current: Arc<CurrentSnapshot>,
) -> Infallible {
    if let Some(files) = watched {
        let reload = || async {
            let authority = source.open(&network).await?;
            current.replace(parts.snapshot(authority));
            anyhow::Ok(())
        };
        files.reload("the issuing key with its chain", reload).await;
    }
    pending().await
}

/// What a server is made of, besides the authority.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) metrics: Metrics,
    pub(crate) logs: Option<OpenLogs>,
    pub(crate) permitted: PermittedAlgorithms,
}

impl Parts {
    /// Issues with `authority` for the identities that the issuers vouch for.
    pub(crate) fn snapshot(&self, authority: Authority) -> Snapshot {
        let chains = authority.chains();
        chains.warn();
        if let Some(validity) = chains.validity() {
            self.metrics.tell_chain(validity);
        }
        let logs = self.logs.as_ref();
        let issuer = authority.issuer(logs.map(OpenLogs::logs));
        let issuer = issuer.with_journal(Arc::new(LogJournal));
        let pipeline = Pipeline::new(self.issuers.clone(), issuer)
            .with_permitted_algorithms(self.permitted.clone());
        let snapshot = Snapshot::new(pipeline, &self.config).with_probe(chains);
        let probes = logs.into_iter().flat_map(|logs| logs.health().probes());
        probes.fold(snapshot, Snapshot::with_probe)
    }
}
