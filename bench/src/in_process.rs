use core::time::Duration;
use std::{sync::Arc, time::SystemTime};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use fulcio_api::{GrpcApi, HttpApi};
use fulcio_cert_builder::{CaChain, CaTemplate, SerialNumber};
use fulcio_ct_client::TransparencyLog;
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Clock, IssuingKey, LocalAuthority, Pipeline, ca_certificate,
};
use fulcio_oidc_verify::{Algorithm as TokenAlgorithm, Fetch};
use fulcio_server::{CurrentSnapshot, LogJournal, Metrics, Snapshot};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::{
    idp::{FakeFetch, FakeIdp, FakeKey},
    log::FakeLog,
};
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::{
    case::{Api, Case, Curve, Log, ProofKind, TokenKind},
    material::Subject,
};

/// Issue certificates on one thread, without a network: everything between the bytes of a request and
/// those of the answer, except for the connection.
#[derive(Debug, Args)]
pub(crate) struct InProcess {
    #[arg(value_enum)]
    case: Counted,
    /// How many.
    certificates: u32,
}

/// The cases whose instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Counted {
    P256Csr,
    P256Grpc,
    P256Http,
    P384Http,
    P384HttpLog,
}

impl Counted {
    fn case(self) -> Case {
        let (p256, p384) = (Case::new(Curve::P256), Case::new(Curve::P384));
        match self {
            Self::P256Csr => Case {
                proof: ProofKind::Csr,
                ..p256
            },
            Self::P256Grpc => Case {
                api: Api::Grpc,
                ..p256
            },
            Self::P256Http => p256,
            Self::P384Http => p384,
            Self::P384HttpLog => Case {
                log: Log::Embedded,
                ..p384
            },
        }
    }
}

impl InProcess {
    pub(crate) fn run(self) -> Result<()> {
        let case = self.case.case();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let idp = FakeIdp::new(FakeKey::generate(TokenAlgorithm::Rs256));
        let token = |email: &str, _kind: TokenKind| idp.draft().claim("email", email).mint();
        let subject = Subject::new(&token, "user-00000@example.com".to_owned())?;
        let metrics = Metrics::new()?;
        let snapshot = runtime.block_on(snapshot(&idp, case, &metrics))?;
        let backend = Arc::new(CurrentSnapshot::new(snapshot));
        let services = Services {
            http: HttpApi::new(backend.clone(), metrics.api()),
            grpc: GrpcApi::new(backend, metrics.api()),
        };
        let request = || {
            subject
                .request(case)?
                .at(([127, 0, 0, 1], 80).into(), case.api)
        };
        // The first one fetches keys, and the next ones still fill caches.
        for _ in 0..5 {
            judge(&runtime.block_on(services.answer(request()?))?)?;
        }
        for _ in 0..self.certificates {
            judge(&counted(&runtime, &services, request()?)?)?;
        }
        Ok(())
    }
}

/// The function within which instructions are counted.
#[inline(never)]
fn counted(
    runtime: &Runtime,
    services: &Services,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes)> {
    runtime.block_on(services.answer(request))
}

/// What is counted, as `--toggle-collect` wants it.
pub(crate) const COUNTED: &str = "*in_process*counted*";

fn judge((status, body): &(StatusCode, Bytes)) -> Result<()> {
    ensure!(status.is_success(), "{}", String::from_utf8_lossy(body));
    ensure!(body.len() > 1_000, "an answer without a certificate");
    Ok(())
}

struct Services {
    http: HttpApi,
    grpc: GrpcApi,
}

impl Services {
    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        if request.headers()[CONTENT_TYPE] == "application/grpc" {
            let Ok(answer) = self.grpc.authority().oneshot(request).await;
            let status = answer.status();
            let body = answer.into_body().collect().await?;
            return Ok((status, body.to_bytes()));
        }
        let Ok(answer) = self.http.clone().oneshot(request).await;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

async fn snapshot(idp: &FakeIdp, case: Case, metrics: &Metrics) -> Result<Snapshot> {
    let now = FakeIdp::now();
    let signer = EphemeralSigner::generate(match case.curve {
        Curve::P256 => Algorithm::EcdsaP256Sha256,
        Curve::P384 => Algorithm::EcdsaP384Sha384,
    })?;
    let serial = SerialNumber::from_random([1; 20]);
    let root = ca_certificate(&CaTemplate::ephemeral(), &signer, None, serial, now).await?;
    let key = IssuingKey::new(CaChain::new(vec![root], now)?, Box::new(signer))?;
    let authority = match case.log {
        Log::None => LocalAuthority::new(key),
        Log::Embedded | Log::External => {
            let log: Arc<dyn TransparencyLog> = Arc::new(FakeLog::new());
            LocalAuthority::with_embedded_timestamps(key, log)
        }
    };
    let address = IssuerAddress::Url(idp.issuer().to_owned());
    let issuer = IssuerConfig::new(address, idp.audience(), IssuerKind::Email);
    let config = Config::from_issuers([issuer]);
    let fetch: Arc<dyn Fetch> = Arc::new(FakeFetch::serving(idp));
    let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::clone(&fetch)))
        .context("the identity provider")?;
    let issuers = Arc::new(metrics.watch(issuers));
    let issuer = CertificateIssuer::new(Arc::new(authority))
        .with_clock(Arc::new(Stopped(now)))
        .with_journal(Arc::new(LogJournal));
    let pipeline = Pipeline::new(issuers, issuer).with_deadline(Duration::from_secs(600));
    Ok(Snapshot::new(pipeline, &config))
}

#[derive(Debug)]
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}
