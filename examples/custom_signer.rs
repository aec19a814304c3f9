//! A signer of one's own: its key is in a service that signs over HTTP. `GET /key` answers with the
//! public key, `POST /sign` with the signature of a digest (for Ed25519, of a message), all in DER.

mod demonstration;

use std::{error::Error, time::Duration};

use bytes::Bytes;
use fulcio_remote_key::{Hash, Patience, PublicKey, Retry, Timeout, Verified};
use fulcio_signer::{Algorithm, Error as SignError, ErrorKind, Signature, Signer, Signing};
use http::{Method, Request, header::RETRY_AFTER};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use pki_types::SubjectPublicKeyInfoDer;

/// Speaks with the service, on connections that are kept.
#[derive(Debug)]
struct Service {
    http: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Service {
    /// Asks once. The kind of a failure says whether another try may help.
    async fn ask(&self, method: Method, path: &str, body: &[u8]) -> Result<Vec<u8>, SignError> {
        let unavailable = |error| SignError::new(ErrorKind::Unavailable, error);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .body(Full::from(body.to_vec()))
            .map_err(|error| SignError::new(ErrorKind::Invalid, error))?;
        let answer = self.http.request(request).await;
        let answer = answer.map_err(|error| unavailable(error.into()))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, 16 * 1024).collect().await;
        let kind = match head.status.as_u16() {
            200 => return Ok(body.map_err(unavailable)?.to_bytes().into()),
            401 | 403 => ErrorKind::Denied,
            429 => ErrorKind::Throttled,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        };
        let wait = head.headers.get(RETRY_AFTER);
        let wait = wait.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let error = SignError::new(kind, format!("the service answered {}", head.status));
        Err(error.with_retry_after(wait.map(Duration::from_secs)))
    }
}

/// The key. What never changes is read once; each signature is one request.
#[derive(Debug)]
struct HttpKey {
    public: PublicKey,
    service: Service,
}

impl Signer for HttpKey {
    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.public.spki()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            let hash = Hash::of(self.algorithm());
            let hash = hash.map_err(|error| SignError::new(ErrorKind::Invalid, error))?;
            let digest = hash.map(|hash| hash.digest(message));
            let body = digest.as_ref().map_or(message, AsRef::as_ref);
            let answer = self.service.ask(Method::POST, "/sign", body).await;
            answer.map(Signature)
        })
    }
}

/// With a deadline for each try, more tries within `patience`, and nothing given out that does not
/// verify.
type HttpSigner = Verified<Retry<Timeout<HttpKey>>>;

async fn open(url: &str, patience: Duration) -> Result<HttpSigner, Box<dyn Error>> {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let url = url.to_owned();
    let service = Service { http, url };
    let public = PublicKey::from_spki(service.ask(Method::GET, "/key", &[]).await?)?;
    let each_try = Timeout::new(HttpKey { public, service }, patience / 4);
    let retried = Retry::new(each_try, Patience::new(patience));
    Ok(Verified::new(retried)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    demonstration::run().await
}
