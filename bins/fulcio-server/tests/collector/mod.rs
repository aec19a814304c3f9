//! An OpenTelemetry collector that keeps what it is sent.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value},
    trace::v1::status::StatusCode,
};
use prost::Message as _;
use tokio::runtime::Runtime;
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Server, server::TcpIncoming},
};

/// The collector. It ends when it is dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    taken: Taken,
    _runtime: Runtime,
}

#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// What it was told of one span.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) is_error: bool,
    begun: u64,
    attributes: Vec<(String, String)>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let taken = Taken::default();
        let _guard = runtime.enter();
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = incoming.local_addr().unwrap();
        let service = TraceServiceServer::new(taken.clone());
        runtime.spawn(
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        Self {
            address,
            taken,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans of one trace in the order in which they began.
    pub(crate) fn spans_of(&self, trace: &str) -> Vec<Span> {
        let taken = self.taken.0.lock().unwrap();
        let scopes = taken
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans);
        let mut spans: Vec<_> = scopes
            .flat_map(|scope| &scope.spans)
            .filter(|span| hex(&span.trace_id) == trace)
            .map(|span| Span {
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name.clone(),
                is_error: span
                    .status
                    .as_ref()
                    .is_some_and(|status| status.code() == StatusCode::Error),
                begun: span.start_time_unix_nano,
                attributes: span.attributes.iter().map(text).collect(),
            })
            .collect();
        spans.sort_by_key(|span| span.begun);
        spans
    }

    /// The name of the program that sent everything.
    pub(crate) fn service(&self) -> String {
        let taken = self.taken.0.lock().unwrap();
        let resource = taken[0].resource_spans[0].resource.as_ref().unwrap();
        let mut attributes = resource.attributes.iter().map(text);
        attributes
            .find_map(|(name, value)| (name == "service.name").then_some(value))
            .unwrap()
    }

    /// Whether `needle` is anywhere in what it was sent.
    pub(crate) fn has_seen(&self, needle: &str) -> bool {
        let taken = self.taken.0.lock().unwrap();
        taken.iter().any(|request| {
            let bytes = request.encode_to_vec();
            bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        })
    }
}

impl Span {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

#[async_trait]
impl TraceService for Taken {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn text(attribute: &KeyValue) -> (String, String) {
    let value = attribute
        .value
        .as_ref()
        .and_then(|value| value.value.as_ref());
    let value = match value {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    (attribute.key.clone(), value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
