use core::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode;
use tokio::{net::TcpStream, task::spawn_local};

use crate::case::Api;

/// A connection that is kept, with one request at a time.
#[derive(Debug)]
pub(crate) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Nothing, or how it refused.
    pub(crate) failure: Option<String>,
    /// The status of HTTP.
    pub(crate) status: StatusCode,
    /// What gRPC says beside its code.
    pub(crate) message: Option<String>,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, api: Api) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?, api).await
    }

    /// The same over a stream that is connected.
    pub(crate) async fn over(stream: TcpStream, api: Api) -> Result<Self> {
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        // How a connection ended, whoever waits for an answer on it is told.
        Ok(match api {
            Api::Grpc => {
                let (sender, connection) = http2::handshake(Local, io).await?;
                spawn_local(connection);
                Self::Http2(sender)
            }
            Api::V1 | Api::V2 => {
                let (sender, connection) = http1::handshake(io).await?;
                spawn_local(connection);
                Self::Http1(sender)
            }
        })
    }

    /// Whether nothing more can be asked over it.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    /// Asks, and reads the answer to its end.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let answer = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = answer.into_parts();
        let body = body.collect().await?;
        let failure = match self {
            _ if !matches!(head.status.as_u16(), 200 | 201) => {
                Some(format!("HTTP {}", head.status.as_u16()))
            }
            Self::Http1(_) => None,
            Self::Http2(_) => grpc_failure(body.trailers().unwrap_or(&head.headers)),
        };
        let trailers = body.trailers().unwrap_or(&head.headers);
        let message = trailers.get("grpc-message");
        Ok(Answer {
            failure,
            status: head.status,
            message: message.map(|it| decoded(it.as_bytes())),
            body: body.to_bytes(),
        })
    }
}

fn grpc_failure(trailers: &HeaderMap) -> Option<String> {
    let status = trailers.get("grpc-status").map(|status| status.to_str());
    match status {
        Some(Ok("0")) => None,
        Some(Ok(code)) => Some(format!("gRPC {code}")),
        Some(Err(_)) | None => Some("no gRPC status".to_owned()),
    }
}

/// What gRPC has percent-encoded.
fn decoded(message: &[u8]) -> String {
    percent_decode(message).decode_utf8_lossy().into_owned()
}

/// Runs what HTTP/2 needs on the thread of the load.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}
