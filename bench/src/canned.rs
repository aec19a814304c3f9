use core::{convert::Infallible, net::SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

/// Answer every request with the same bytes: the least that a server can do.
#[derive(Debug, Args)]
pub(crate) struct Canned {
    #[arg(long)]
    address: SocketAddr,
    /// What is answered.
    #[arg(long)]
    body: PathBuf,
}

impl Canned {
    /// Serves until it is killed.
    pub(crate) async fn run(self) -> Result<()> {
        let body = std::fs::read(&self.body).with_context(|| self.body.display().to_string())?;
        let body = Bytes::from(body);
        let listener = TcpListener::bind(self.address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(request, body.clone()));
                let server = auto::Builder::new(TokioExecutor::new());
                // Whoever made the load sees how a connection ended.
                drop(server.serve_connection(TokioIo::new(stream), service).await);
            });
        }
    }
}

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn answer(request: Request<Incoming>, body: Bytes) -> Result<Response<Body>> {
    let version = request.version();
    request.into_body().collect().await?;
    let body = Full::new(body);
    if version != Version::HTTP_2 {
        return Ok(Response::new(body.boxed()));
    }
    let trailers = async {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Some(Ok(trailers))
    };
    Ok(Response::new(body.with_trailers(trailers).boxed()))
}
