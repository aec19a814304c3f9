use core::{convert::Infallible, error::Error as StdError, future::pending};
use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_challenge::PermittedAlgorithms;
use fulcio_issuance::Pipeline;
use fulcio_server::{IssuerProbe, Metrics, RateLimits, ReloadRequests, Snapshot};
use tokio::signal::unix::Signal;

use crate::{
    announced::Announced,
    audit::{self, Audit, AuditFlags},
    authority_flags::AuthorityFlags,
    identity_issuers::IdentityFlags,
    layers::Layers,
    logging::{self, LogType},
    network::Network,
    one_line,
    ports::Ports,
    reload::{InForce, Reloads, Sources},
    stop,
    tls::TlsFlags,
    tracing_export::TraceFlags,
    transparency::{OpenLogs, TransparencyFlags},
    values::{List, Optional, Switch, list},
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
    announced: Announced,
    #[command(flatten)]
    identity: IdentityFlags,
    #[command(flatten)]
    transparency: TransparencyFlags,
    /// Use what has changed as soon as it has: the issuer configuration, the announced chains, and the
    /// files of logs.
    #[arg(
        long,
        value_name = "BOOL",
        default_value = "true",
        help_heading = "Reloading"
    )]
    config_watch: Switch,
    #[command(flatten)]
    ports: Ports,
    #[command(flatten)]
    tls: TlsFlags,
    #[command(flatten)]
    audit: AuditFlags,
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
        let _writing = logging::start(self.log_type, traces.as_ref())?;
        for note in &self.layers.notes {
            tracing::warn!("{note}");
        }
        let stopped = stop::signalled()?;
        let hangups = stop::hangups()?;
        let sources = Sources {
            authority: source,
            announced: &self.announced,
            identity: &self.identity,
            transparency: &self.transparency,
            network: Network::of_this_process(),
            signer_test_every: self.authority.signer_test_every(),
            watched: self.config_watch.is_on(),
        };
        // A thread of its own looks at the files meanwhile.
        let (watched, metrics) = tokio::join!(sources.watch(), async { Metrics::new() });
        let metrics = metrics?;
        let issuers = self.identity.issuers(&sources.network, &metrics, None)?;
        let names = self.client_signing_algorithms.iter().flat_map(List::iter);
        let permitted = if self.client_signing_algorithms.is_empty() {
            PermittedAlgorithms::default()
        } else {
            PermittedAlgorithms::from_names(names).context("--client-signing-algorithms")?
        };
        let audit = self.audit.open(&metrics)?;
        let parts = Arc::new(Parts {
            metrics,
            permitted,
            audit,
            rate_limits: self.ports.rate_limits(),
        });
        let in_force = sources.open(issuers, &parts).await?;
        let embedded = in_force
            .logs
            .as_ref()
            .and_then(|logs| logs.embedded().cloned());
        let reloads = Reloads::new(sources, Arc::clone(&parts), in_force);
        let requests = ReloadRequests::new();
        let tls = tls.with_reloads(&requests, &parts.metrics);
        let served = tokio::select! {
            served = self.ports.serve(&parts, reloads.current(), embedded, &tls, stopped) => served,
            never = reloads.run(watched, &requests) => match never {},
            never = ask_at(hangups, &requests) => match never {},
        };
        if let Some(traces) = traces {
            traces.finish().await;
        }
        if let Some(audit) = &parts.audit {
            served.and(audit.close().await)
        } else {
            served
        }
    }
}

/// Has everything read again at each SIGHUP.
async fn ask_at(mut hangups: Signal, requests: &ReloadRequests) -> Infallible {
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP: what can be read again is read again");
        requests.ask();
    }
    pending().await
}

/// What a server is made of that stays as long as it runs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) metrics: Metrics,
    pub(crate) permitted: PermittedAlgorithms,
    pub(crate) audit: Option<Audit>,
    pub(crate) rate_limits: Option<Arc<RateLimits>>,
}

impl Parts {
    /// Has requests served by what is in force now.
    pub(crate) fn snapshot(&self, in_force: &InForce) -> Snapshot {
        let InForce {
            authority,
            announced,
            issuers,
            logs,
        } = in_force;
        let chains = authority.chains();
        chains.warn();
        if let Some(validity) = chains.validity() {
            self.metrics.tell_chain(validity);
        }
        let issuer = authority.issuer(logs.as_deref().map(OpenLogs::logs));
        let mut issuer = issuer.with_journal(audit::journal(self.audit.as_ref()));
        if let Some(limits) = &self.rate_limits {
            issuer = issuer.with_admission(Arc::clone(limits) as _);
        }
        let pipeline = Pipeline::new(issuers.issuers.clone(), issuer)
            .with_permitted_algorithms(self.permitted.clone());
        let mut snapshot = Snapshot::new(pipeline, &issuers.config)
            .with_announced(announced.clone())
            .with_probe(chains);
        if let Some(audit) = &self.audit {
            snapshot = snapshot.with_probe(audit.clone());
        }
        if let Some(signer) = authority.health() {
            snapshot = snapshot.with_probe(signer);
        }
        let logs = logs.iter().flat_map(|logs| logs.health().probes());
        snapshot = logs.fold(snapshot, Snapshot::with_probe);
        let issuers = IssuerProbe::all(&issuers.config, &issuers.issuers);
        issuers.fold(snapshot, Snapshot::with_probe)
    }
}
