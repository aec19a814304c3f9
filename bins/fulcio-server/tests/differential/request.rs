use core::time::Duration;

use serde_json::Value;

/// What both servers are sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) transport: Transport,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) stream: bool,
    /// Whether the client says that nothing more will come.
    pub(super) breaks_off: bool,
    /// How long an answer may take before there is none.
    pub(super) patience: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// HTTP/1.1, on the port for HTTP.
    Http1,
    /// HTTP/2 with prior knowledge, on the port for HTTP.
    Http2,
    /// HTTP/2 on the port for gRPC.
    Grpc,
    /// The bytes of the body and nothing else, on the port for HTTP.
    Raw,
}

/// What a request of HTTP/1.1 says beside its headers.
const HOST: (&str, &str) = ("host", "fulcio.example.com");

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            transport: Transport::Http1,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![(HOST.0.to_owned(), HOST.1.to_owned())],
            body: None,
            stream: false,
            breaks_off: false,
            patience: Duration::from_secs(30),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// Exactly these bytes on the port for HTTP.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            transport: Transport::Raw,
            headers: Vec::new(),
            ..Self::post("").body(bytes)
        }
    }

    /// A call with one message, as protobuf has it.
    pub(crate) fn grpc(path: &str, message: &[u8]) -> Self {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        Self::grpc_bytes(path, [&[0], &length[..], message].concat())
    }

    /// A call whose stream of data is exactly these bytes.
    pub(crate) fn grpc_bytes(path: &str, data: Vec<u8>) -> Self {
        Self {
            transport: Transport::Grpc,
            headers: Vec::new(),
            ..Self::post(path)
        }
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(data)
    }

    /// Sets one header more; the same name may be there before.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes all headers of this name away.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(one, _)| one != name);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn over_http2(mut self) -> Self {
        self.transport = Transport::Http2;
        self.headers.retain(|(name, _)| name != HOST.0);
        self
    }

    /// Reads the first message of the answer and does not wait for its end.
    pub(crate) fn of_a_stream(mut self) -> Self {
        self.stream = true;
        self
    }

    /// Ends the connection on this side behind the request.
    pub(crate) fn that_breaks_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }

    /// Does not wait long: Fulcio never answers.
    pub(crate) fn that_waits_for_nothing(mut self) -> Self {
        self.patience = Duration::from_secs(3);
        self
    }

    /// Whether a certificate is asked for.
    pub(super) fn asks_for_a_certificate(&self) -> bool {
        self.transport == Transport::Raw
            || self.target.contains("signingCert")
            || self.target.ends_with("/CreateSigningCertificate")
    }
}
