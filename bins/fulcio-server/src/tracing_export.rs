use core::{
    convert::Infallible,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
    time::Duration,
};
use std::env;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_api::HttpApi;
use fulcio_issuance::RequestContext;
use http::{HeaderMap, Method, Request, Response, Uri};
use opentelemetry::{
    Key, KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{
    WithExportConfig as _, WithTonicConfig as _, tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tokio::task::spawn_blocking;
use tower::Service;
use tracing::{Instrument as _, Span, Subscriber, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// Where traces go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traces")]
pub(crate) struct TraceFlags {
    /// URL of an OpenTelemetry collector that traces go to, by OTLP over gRPC, such as
    /// http://localhost:4317. Without it the standard's variable OTEL_EXPORTER_OTLP_ENDPOINT
    /// counts; with neither there are no traces.
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
}

const STANDARD_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

impl TraceFlags {
    /// Begins to export, if there is anywhere to export to. The collector need not be there.
    pub(crate) fn open(&self) -> Result<Option<Traces>> {
        let (name, endpoint) = match &self.otlp_endpoint {
            Some(endpoint) => ("--otlp-endpoint", endpoint.clone()),
            None => (STANDARD_VARIABLE, standard_endpoint()),
        };
        if endpoint.is_empty() {
            return Ok(None);
        }
        Traces::to(&endpoint)
            .map(Some)
            .with_context(|| format!("{name} {endpoint}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program, not a library, reads the environment"
)]
fn standard_endpoint() -> String {
    env::var(STANDARD_VARIABLE).unwrap_or_default()
}

/// The export of traces. Requests never wait for it: spans are queued, and dropped where the queue
/// is full.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// How long what is queued may take to be delivered at the end.
    const FLUSH: Duration = Duration::from_secs(2);

    fn to(endpoint: &str) -> Result<Self> {
        let uri: Uri = endpoint.parse().context("is no URL")?;
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(ClientTlsConfig::new().with_enabled_roots()),
            _ => bail!("is no URL that begins with http:// or https://"),
        };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint);
        let exporter = match tls {
            Some(tls) => exporter.with_tls_config(tls),
            None => exporter,
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_batch_exporter(Telling {
                exporter: exporter.build()?,
                failing: AtomicBool::new(false),
            })
            .build();
        Ok(Self(provider))
    }

    /// What takes the spans of requests, and nothing else, to the exporter.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("fulcio-server"))
            .with_level(false)
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(RequestContext::SPANS, tracing::Level::TRACE))
    }

    /// Delivers what is queued, if it can be done in a short time.
    pub(crate) async fn finish(self) {
        let finished = spawn_blocking(move || self.0.shutdown_with_timeout(Self::FLUSH)).await;
        if let Ok(Err(error)) = finished {
            tracing::warn!(%error, "the last traces were not delivered");
        }
    }
}

/// This program, unless the standard's variables name it otherwise.
fn resource() -> Resource {
    let resource = Resource::builder().build();
    let is_named = resource
        .get(&Key::from_static_str("service.name"))
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named {
        resource.build()
    } else {
        resource.with_service_name("fulcio-server").build()
    }
}

/// An exporter that tells the operator when it begins to fail and when it works again, and no
/// more.
#[derive(Debug)]
struct Telling<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Telling<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        match &exported {
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(
                    spans,
                    %error,
                    "traces are lost, because the collector does not take them"
                );
            }
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the collector takes traces again");
            }
            _ => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Serves each request in a span of its own, which goes on with the caller's trace where the
/// request names one (W3C Trace Context). Without an export it does nothing.
#[derive(Clone, Debug)]
pub(crate) struct Traced<S>(pub(crate) S);

impl<S, A, B> Service<Request<A>> for Traced<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let span = span(&request);
        let answer = span.in_scope(|| self.0.call(request));
        let in_span = span.clone();
        let answer = async move {
            let response = answer.await?;
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
            Ok(response)
        };
        Box::pin(answer.instrument(in_span))
    }
}

/// No span for what is not served: strangers ask for much, and the metrics page is read often.
fn span<A>(request: &Request<A>) -> Span {
    let Some(route) = route(request.uri().path()) else {
        return Span::none();
    };
    let span = tracing::trace_span!(
        target: RequestContext::SPANS,
        "request",
        otel.name = route,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method(request.method()),
        http.response.status_code = Empty,
    );
    if !span.is_disabled() {
        let caller = TraceContextPropagator::new().extract(&Headers(request.headers()));
        // It fails for a span that has begun, and this one has not.
        let _begun = span.set_parent(caller);
    }
    span
}

/// A method as the standard names it: one that nobody knows is `_OTHER`.
fn method(method: &Method) -> &str {
    match method.as_str() {
        known @ ("CONNECT" | "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT"
        | "TRACE") => known,
        _ => "_OTHER",
    }
}

/// The name of a span: a path that is served, and never one that a stranger made up.
fn route(path: &str) -> Option<&str> {
    if path.starts_with("/ct-log/") {
        return Some("/ct-log/");
    }
    let mut http = HttpApi::endpoints().map(|(_method, path)| path);
    http.find(|served| *served == path)
        .or_else(|| GRPC.into_iter().find(|served| *served == path))
}

const GRPC: [&str; 8] = [
    "/dev.sigstore.fulcio.v1beta.CA/CreateSigningCertificate",
    "/dev.sigstore.fulcio.v1beta.CA/GetRootCertificate",
    "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate",
    "/dev.sigstore.fulcio.v2.CA/GetConfiguration",
    "/dev.sigstore.fulcio.v2.CA/GetTrustBundle",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
];

/// The headers of a request, as the propagator reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
