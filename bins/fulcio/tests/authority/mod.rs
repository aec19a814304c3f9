//! A whole authority in this process, put together from the crates: a CA of root and intermediate,
//! an embedded log, a development identity provider, and HTTP on a free port.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use fulcio_api::HttpApi;
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, Issuer};
use fulcio_ct_client::Logs;
use fulcio_ct_log::{EmbeddedLog, Options};
use fulcio_dev_idp::{DevIdp, Keys};
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Clock as _, IssuingKey, LocalAuthority, Pipeline, RandomSerialNumbers,
    SerialNumbers as _, SystemClock,
};
use fulcio_oidc_verify::{Fetch, HttpFetch, HttpOptions};
use fulcio_server::{
    CurrentSnapshot, Limits, Listener, LogFiles, Metrics, Mount, Mounted, Router, Shutdown,
    Snapshot, TimedBody,
};
use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_file::EphemeralSigner;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// It is served until it is dropped.
pub(crate) struct Authority {
    address: SocketAddr,
    folder: TempDir,
    _runtime: Runtime,
}

impl Authority {
    pub(crate) fn start() -> Self {
        Self::start_with(|_folder| None)
    }

    /// One that publishes its certificates in the log that `log` gives, which is asked when `chain.pem`
    /// is in the folder; in the embedded one if it gives none.
    pub(crate) fn start_with(log: impl FnOnce(&Path) -> Option<Logs>) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let address = runtime.block_on(serve(folder.path(), log));
        Self {
            address,
            folder,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The PEM file of intermediate and root.
    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    /// The embedded log's folder.
    pub(crate) fn log_folder(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The PEM file of the log's key.
    pub(crate) fn log_key(&self) -> PathBuf {
        self.folder.path().join("log.pub.pem")
    }
}

async fn serve(folder: &Path, other_log: impl FnOnce(&Path) -> Option<Logs>) -> SocketAddr {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let address = listener.address();
    let issuer = format!("http://{address}/dev-idp");

    let key = issuing_key().await;
    let pem = CaChain::new(key.chain().to_vec(), SystemClock.now())
        .unwrap()
        .pem();
    fs::write(folder.join("chain.pem"), pem).unwrap();
    let options = Options::new(|| SystemClock.now()).with_origin(format!("{address}/ct-log"));
    let log = Arc::new(EmbeddedLog::open(folder.join("log"), options).unwrap());
    fs::write(folder.join("log.pub.pem"), log.public_key_pem()).unwrap();
    let published_in = other_log(folder).unwrap_or_else(|| Arc::clone(&log).into());

    let config = Config::from_issuers([IssuerConfig::new(
        IssuerAddress::Url(issuer.clone()),
        "sigstore",
        IssuerKind::Email,
    )]);
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&HttpOptions::new(vec![])).unwrap());
    let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::clone(&fetch))).unwrap();
    let authority = LocalAuthority::with_embedded_timestamps(key, published_in);
    let issuing = CertificateIssuer::new(Arc::new(authority));
    let pipeline = Pipeline::new(Arc::new(issuers), issuing);

    let metrics = Metrics::new().unwrap();
    let backend = Arc::new(CurrentSnapshot::new(Snapshot::new(pipeline, &config)));
    let idp = Arc::new(DevIdp::new(&issuer, Keys::generate().unwrap()).unwrap());
    let router = Router::new()
        .with_http(HttpApi::new(backend, metrics.api()))
        .with_mount("/ct-log/", LogFiles::new(log))
        .with_mount("/dev-idp", MountedIdp(idp));
    tokio::spawn(listener.serve(router, Limits::default(), Shutdown::default()));
    address
}

async fn issuing_key() -> IssuingKey {
    let root_key = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384).unwrap();
    let key = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384).unwrap();
    let name = |common| DistinguishedName::new("Example", common);
    let root = certificate(&CaTemplate::root(name("root")), &root_key, None, &root_key).await;
    let alone = CaChain::new(vec![root.clone()], SystemClock.now()).unwrap();
    let template = CaTemplate::intermediate(name("intermediate"));
    let intermediate = certificate(&template, &key, Some(alone.issuer()), &root_key).await;
    let chain = CaChain::new(vec![intermediate, root], SystemClock.now()).unwrap();
    IssuingKey::new(chain, Box::new(key)).unwrap()
}

async fn certificate(
    template: &CaTemplate,
    key: &dyn Signer,
    parent: Option<&Issuer>,
    signer: &dyn Signer,
) -> CertificateDer<'static> {
    let serial = RandomSerialNumbers::default().next().unwrap();
    let unsigned = template
        .unsigned(key.public_key(), serial, SystemClock.now(), parent)
        .unwrap();
    let signature = signer.sign(unsigned.to_be_signed()).await.unwrap();
    unsigned.signed(&signature.0)
}

#[derive(Debug)]
struct MountedIdp(Arc<DevIdp>);

impl Mount for MountedIdp {
    fn handle(&self, _path: &str, request: Request<TimedBody>) -> Mounted {
        let idp = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let request = Request::from_parts(parts, body);
            idp.handle(&request, SystemClock.now()).map(Full::new)
        })
    }
}
