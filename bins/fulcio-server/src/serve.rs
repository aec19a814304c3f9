use core::{net::SocketAddr, time::Duration};
use std::{net::IpAddr, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_api::{Cors, GrpcApi, HttpApi, Serving};
use fulcio_challenge::PermittedAlgorithms;
use fulcio_identity::{Config, Issuers};
use fulcio_issuance::{CertificateIssuer, IssuingKey, Pipeline, SystemClock};
use fulcio_server::{
    ChainProbe, CurrentSnapshot, EmbeddedLogProbe, Limits, Listener, LogFiles, LogJournal, Metrics,
    Router, Shutdown, Snapshot,
};

use crate::{
    authority::{self, AuthorityFlags},
    identity_issuers::{IdentityFlags, issuers, system_roots},
    logging::{self, LogType},
    stop,
    transparency::{Log, TransparencyFlags},
};

/// Run a certificate authority with the given key, log and identity providers.
///
/// Each flag can be given by the environment too, under the name that is shown with it.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    authority: AuthorityFlags,
    #[command(flatten)]
    identity: IdentityFlags,
    #[command(flatten)]
    transparency: TransparencyFlags,
    #[command(flatten)]
    ports: Ports,
    /// Signature algorithms that clients may use, separated by commas. Without the flag:
    /// ecdsa-sha2-256-nistp256, ecdsa-sha2-384-nistp384, ecdsa-sha2-512-nistp521,
    /// rsa-sign-pkcs1-2048-sha256, rsa-sign-pkcs1-3072-sha256, rsa-sign-pkcs1-4096-sha256, ed25519.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        env = "FULCIO_SERVE_CLIENT_SIGNING_ALGORITHMS"
    )]
    client_signing_algorithms: Option<Vec<String>>,
    /// How log lines look: dev is text on standard output, prod is JSON on standard error.
    #[arg(
        long = "log_type",
        alias = "log-type",
        value_enum,
        default_value = "dev",
        env = "FULCIO_SERVE_LOG_TYPE"
    )]
    log_type: LogType,
}

/// Where the server listens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ports")]
struct Ports {
    /// Address for HTTP.
    #[arg(
        long,
        alias = "http-host",
        default_value = "0.0.0.0",
        env = "FULCIO_SERVE_HOST"
    )]
    host: IpAddr,
    /// Port for HTTP; the same as for gRPC serves both on one port.
    #[arg(
        long,
        alias = "http-port",
        default_value = "8080",
        env = "FULCIO_SERVE_PORT"
    )]
    port: u16,
    /// Address for gRPC.
    #[arg(long, default_value = "0.0.0.0", env = "FULCIO_SERVE_GRPC_HOST")]
    grpc_host: IpAddr,
    /// Port for gRPC.
    #[arg(long, default_value = "8081", env = "FULCIO_SERVE_GRPC_PORT")]
    grpc_port: u16,
    /// Port for Prometheus metrics, on all addresses.
    #[arg(long, default_value = "2112", env = "FULCIO_SERVE_METRICS_PORT")]
    metrics_port: u16,
    /// How long a connection may wait for its next request.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = humantime::parse_duration,
        env = "FULCIO_SERVE_IDLE_CONNECTION_TIMEOUT"
    )]
    idle_connection_timeout: Duration,
    /// How long requests in flight may take to finish after SIGTERM or Ctrl-C.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10s",
        value_parser = humantime::parse_duration,
        env = "FULCIO_SERVE_SHUTDOWN_GRACE"
    )]
    shutdown_grace: Duration,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<()> {
        logging::start(self.log_type);
        let stopped = stop::signalled()?;
        let roots = system_roots();
        let config = self.identity.config()?;
        let permitted = match &self.client_signing_algorithms {
            Some(names) => PermittedAlgorithms::from_names(names.iter().map(String::as_str))
                .context("--client-signing-algorithms")?,
            None => PermittedAlgorithms::default(),
        };
        let parts = Parts {
            issuers: issuers(&config, &roots)?,
            config,
            key: self.authority.issuing_key().await?,
            log: self.transparency.open(&roots)?,
            permitted,
        };
        if parts.log.is_none() {
            tracing::warn!("certificates go to no transparency log, because --ct-log-url is empty");
        }
        self.ports.serve(parts, stopped).await
    }
}

/// What a server is made of.
struct Parts {
    config: Config,
    issuers: Issuers,
    key: IssuingKey,
    log: Option<Log>,
    permitted: PermittedAlgorithms,
}

/// Issues with `key` for the identities that `issuers` vouch for.
pub(crate) fn snapshot(
    config: &Config,
    issuers: Issuers,
    key: IssuingKey,
    log: Option<&Log>,
    permitted: PermittedAlgorithms,
) -> Snapshot {
    let validity = key.issuer().validity();
    let authority = authority::local(key, log.map(Log::transparency_log));
    let issuer = CertificateIssuer::new(Arc::new(authority)).with_journal(Arc::new(LogJournal));
    let pipeline = Pipeline::new(Arc::new(issuers), issuer).with_permitted_algorithms(permitted);
    let snapshot = Snapshot::new(pipeline, config)
        .with_probe(ChainProbe::new(validity, Arc::new(SystemClock)));
    match log.and_then(Log::embedded) {
        Some(log) => snapshot.with_probe(EmbeddedLogProbe::new(Arc::clone(log))),
        None => snapshot,
    }
}

/// Serves HTTP and gRPC on one port, where gRPC has the legacy API as well.
pub(crate) fn one_port(http: HttpApi, grpc: &GrpcApi, serving: &Serving) -> Router {
    Router::new()
        .with_http(http)
        .with_grpc(grpc.authority())
        .with_grpc(grpc.legacy_authority())
        .with_grpc(grpc.health(serving))
}

/// Binds the address whose port `flag` names.
pub(crate) async fn bind(flag: &str, address: SocketAddr) -> Result<Listener> {
    let bound = Listener::bind(address).await;
    bound.with_context(|| format!("{flag} {}", address.port()))
}

impl Ports {
    async fn serve(&self, parts: Parts, stopped: impl Future<Output = ()>) -> Result<()> {
        let http_address = SocketAddr::new(self.host, self.port);
        let grpc_address = SocketAddr::new(self.grpc_host, self.grpc_port);
        let metrics_address = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), self.metrics_port);
        let limits = Limits {
            idle: self.idle_connection_timeout,
            grace: self.shutdown_grace,
            ..Limits::default()
        };
        let metrics = Metrics::new()?;
        let snapshot = snapshot(
            &parts.config,
            parts.issuers,
            parts.key,
            parts.log.as_ref(),
            parts.permitted,
        );
        let backend = Arc::new(CurrentSnapshot::new(snapshot));
        let grpc = GrpcApi::new(backend.clone(), metrics.api());
        let http = HttpApi::new(backend, metrics.api());
        let serving = Serving::new();

        let mut routers = if http_address == grpc_address {
            let router = one_port(http, &grpc, &serving);
            vec![(bind("--port", http_address).await?, router)]
        } else {
            vec![
                (
                    bind("--port", http_address).await?,
                    Router::new().with_http(http.with_cors(Cors::FULCIO)),
                ),
                (
                    bind("--grpc-port", grpc_address).await?,
                    Router::new()
                        .with_grpc(grpc.authority())
                        .with_grpc(grpc.health(&serving)),
                ),
            ]
        };
        let embedded = parts.log.as_ref().and_then(Log::embedded);
        if let (Some(log), Some((_, router))) = (embedded, routers.first_mut()) {
            let with_log = core::mem::take(router);
            *router = with_log.with_mount("/ct-log/", LogFiles::new(Arc::clone(log)));
        }
        let page = Router::new().with_mount("/", metrics.page());
        routers.push((bind("--metrics-port", metrics_address).await?, page));

        let shutdown = Shutdown::default();
        let servers: Vec<_> = routers
            .into_iter()
            .map(|(listener, router)| {
                tracing::info!(address = %listener.address(), "listening");
                tokio::spawn(listener.serve(router, limits, shutdown.clone()))
            })
            .collect();
        stopped.await;
        tracing::info!("stopping");
        serving.stop();
        shutdown.begin();
        for server in servers {
            server.await.context("a listener ended early")?;
        }
        if let Some(log) = embedded {
            log.close().await.context("the transparency log")?;
        }
        Ok(())
    }
}
