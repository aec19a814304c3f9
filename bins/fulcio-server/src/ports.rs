use core::{net::SocketAddr, time::Duration};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use fulcio_api::{Cors, GrpcApi, HttpApi, Reflection, Serving};
use fulcio_ct_log::EmbeddedLog;
use fulcio_server::{CurrentSnapshot, Limits, Listener, LogFiles, RateLimits, Router, Shutdown};
use tokio::time::sleep;

use crate::{
    limits_flags::LimitsFlags,
    serve::Parts,
    stop,
    tls::TlsParts,
    tracing_export::Traced,
    values::{Host, Optional, Switch, duration},
};

/// Where the server listens.
#[derive(Debug, Args)]
#[command(next_help_heading = "Ports")]
pub(crate) struct Ports {
    /// Address or name for HTTP; 0.0.0.0 is all addresses, those of IPv6 too.
    #[arg(long, visible_alias = "http-host", default_value = "0.0.0.0")]
    host: Host,
    /// Port for HTTP; the same as for gRPC serves both on one port.
    #[arg(long, visible_alias = "http-port", default_value = "8080")]
    port: u16,
    /// Address or name for gRPC.
    #[arg(long, default_value = "0.0.0.0")]
    grpc_host: Host,
    /// Port for gRPC.
    #[arg(long, default_value = "8081")]
    grpc_port: u16,
    /// Tell gRPC clients which services there are (gRPC server reflection).
    #[arg(long, value_name = "BOOL", default_value = "false")]
    grpc_reflection: Switch,
    /// Port for Prometheus metrics, on all addresses.
    #[arg(long, default_value = "2112")]
    metrics_port: u16,
    /// Fulcio's socket for the legacy gRPC API. Nothing listens there: that API is served on a port
    /// that HTTP and gRPC share.
    #[arg(long, value_name = "NAME", default_value = LEGACY_SOCKET)]
    legacy_unix_domain_socket: Optional<String>,
    /// How long a client of the metrics port may take for the head of a request.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    read_header_timeout: Duration,
    /// How long a connection may wait for its next request.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    idle_connection_timeout: Duration,
    /// How long requests in flight may take to finish after SIGTERM or Ctrl-C.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    shutdown_grace: Duration,
    /// How long connections are still taken after SIGTERM or Ctrl-C, while /readyz says 503 already:
    /// as long as load balancers need to notice.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    shutdown_delay: Duration,
    #[command(flatten)]
    limits: LimitsFlags,
}

const LEGACY_SOCKET: &str = "@fulcio-legacy-grpc-socket";

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

/// A port that is bound, what it serves, and within which limits.
struct Port(Listener, Router, Limits);

impl Ports {
    /// How often certificates may be asked for, if that is limited.
    pub(crate) fn rate_limits(&self) -> Option<Arc<RateLimits>> {
        self.limits.rates()
    }

    /// Serves until `stopped`, and then what is in flight. Another signal ends that too.
    pub(crate) async fn serve(
        &self,
        parts: &Parts,
        current: Arc<CurrentSnapshot>,
        embedded: Option<Arc<EmbeddedLog>>,
        tls: &TlsParts,
        stopped: impl Future<Output = ()>,
    ) -> Result<()> {
        self.tell_of_the_legacy_socket();
        let metrics = &parts.metrics;
        let serving = Serving::new();
        let grpc = GrpcApi::new(current.clone(), metrics.api());
        let http = HttpApi::new(current, metrics.api()).with_serving(serving.clone());
        self.limits.raise_file_limit();
        let gate = self.limits.gate(metrics.api())?;

        let mut ports = self.apis(http, &grpc, &serving, tls).await?;
        if let (Some(log), Some(Port(_, router, _))) = (&embedded, ports.first_mut()) {
            let with_log = core::mem::take(router);
            *router = with_log.with_mount("/ct-log/", LogFiles::new(Arc::clone(log)));
        }
        let mut ports: Vec<_> = ports
            .into_iter()
            .map(|Port(listener, router, limits)| {
                let listener = listener.with_gate(Arc::clone(&gate));
                Port(listener, router.with_gate(Arc::clone(&gate)), limits)
            })
            .collect();
        let address = Host::All.address(self.metrics_port).await?;
        let limits = Limits {
            head: or_a_minute(self.read_header_timeout),
            ..self.limits()
        };
        let page = Router::new().with_mount("/", metrics.page().with_process());
        let limits = Limits {
            connections: METRICS_CONNECTIONS,
            ..limits
        };
        ports.push(Port(bind("--metrics-port", address).await?, page, limits));

        let shutdown = Shutdown::default();
        let servers: Vec<_> = ports
            .into_iter()
            .map(|Port(listener, router, limits)| {
                tracing::info!(address = %listener.address(), "listening");
                tokio::spawn(listener.serve(Traced(router), limits, shutdown.clone()))
            })
            .collect();
        stopped.await;
        let again = stop::signalled()?;
        serving.stop();
        let finished = async {
            if !self.shutdown_delay.is_zero() {
                tracing::info!(delay = ?self.shutdown_delay, "not ready any more, and stopping later");
                sleep(self.shutdown_delay).await;
            }
            tracing::info!("stopping");
            shutdown.begin();
            for server in servers {
                server.await.context("a listener ended early")?;
            }
            anyhow::Ok(())
        };
        let finished = tokio::select! {
            finished = finished => finished,
            () = again => Err(anyhow!("a second signal ended what was still in flight")),
        };
        if let Some(log) = embedded {
            log.close().await.context("the transparency log")?;
        }
        finished
    }

    /// The ports of the APIs, that of HTTP first.
    async fn apis(
        &self,
        http: HttpApi,
        grpc: &GrpcApi,
        serving: &Serving,
        tls: &TlsParts,
    ) -> Result<Vec<Port>> {
        let http_address = self.resolve("--host", &self.host, self.port).await?;
        let grpc_address = self
            .resolve("--grpc-host", &self.grpc_host, self.grpc_port)
            .await?;
        if http_address == grpc_address {
            let router = one_port(http, grpc, serving);
            let router = self.reflecting(router, &[V2, LEGACY, HEALTH]);
            let mut listener = bind("--port", http_address).await?;
            if let Some(files) = tls.both()? {
                let flags = if tls.http.is_some() { "http" } else { "grpc" };
                listener = listener.with_tls(tls.open(flags, files).await?);
            }
            return Ok(vec![Port(listener, router, self.limits())]);
        }
        let mut http_listener = bind("--port", http_address).await?;
        if let Some(files) = &tls.http {
            http_listener = http_listener.with_tls(tls.open("http", files).await?);
        }
        let mut grpc_listener = bind("--grpc-port", grpc_address).await?;
        if let Some(files) = &tls.grpc {
            grpc_listener = grpc_listener.with_tls(tls.open("grpc", files).await?);
        }
        let http_router = Router::new().with_http(http.with_cors(Cors::FULCIO));
        let grpc_router = Router::new()
            .with_grpc(grpc.authority())
            .with_grpc(grpc.health(serving));
        let grpc_router = self.reflecting(grpc_router, &[V2, HEALTH]);
        Ok(vec![
            Port(http_listener, http_router, self.limits()),
            Port(grpc_listener, grpc_router, self.limits()),
        ])
    }

    /// Where to bind.
    async fn resolve(&self, flag: &str, host: &Host, port: u16) -> Result<SocketAddr> {
        let address = host.address(port).await;
        address.with_context(|| format!("{flag} {host} is no address of this machine"))
    }

    /// The same, telling of `services` if that is wanted.
    fn reflecting(&self, router: Router, services: &[&str]) -> Router {
        if !self.grpc_reflection.is_on() {
            return router;
        }
        let reflection = Reflection::of(services.iter().copied());
        router
            .with_grpc(reflection.v1())
            .with_grpc(reflection.v1alpha())
    }

    fn limits(&self) -> Limits {
        Limits {
            idle: or_a_minute(self.idle_connection_timeout),
            grace: self.shutdown_grace,
            ..Limits::default()
        }
    }

    fn tell_of_the_legacy_socket(&self) {
        let socket = self.legacy_unix_domain_socket.as_ref();
        if let Some(socket) = socket.filter(|socket| *socket != LEGACY_SOCKET) {
            tracing::warn!(
                socket,
                "nothing listens on the legacy Unix domain socket: the legacy gRPC API is served \
                 where --port and --grpc-port are the same"
            );
        }
    }
}

const HEALTH: &str = "grpc.health.v1.Health";
const LEGACY: &str = "dev.sigstore.fulcio.v1beta.CA";
const V2: &str = "dev.sigstore.fulcio.v2.CA";

/// Whoever reads the metrics keeps a connection or two.
const METRICS_CONNECTIONS: usize = 100;

/// In Go, a server without a limit of its own falls back on the time for reading, and that is a
/// minute in Fulcio.
fn or_a_minute(limit: Duration) -> Duration {
    if limit.is_zero() {
        Duration::from_secs(60)
    } else {
        limit
    }
}
