use core::{net::SocketAddr, time::Duration};
use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_api::HttpApi;
use fulcio_cert_builder::{CaChain, CaTemplate};
use fulcio_identity::{Config, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Clock as _, IssuingKey, LocalAuthority, Pipeline, RandomSerialNumbers,
    SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_oidc_verify::{Fetch, HttpFetch, HttpOptions};
use fulcio_remote_key::Verified;
use fulcio_server::{CurrentSnapshot, Limits, Listener, Metrics, Router, Shutdown, Snapshot};
use fulcio_signer::{Algorithm, Signer, Signing};
use fulcio_signer_file::EphemeralSigner;
use pki_types::SubjectPublicKeyInfoDer;

/// A server whose key is far away: each signature takes this long, and is verified.
#[derive(Debug, Args)]
pub(crate) struct SlowSigner {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    metrics: SocketAddr,
    /// The issuer configuration.
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    millis: u64,
}

impl SlowSigner {
    /// Serves until it is killed.
    pub(crate) async fn run(self) -> Result<()> {
        let key = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256)?;
        let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
        let root = ca_certificate(&CaTemplate::ephemeral(), &key, None, serial, now).await?;
        let slow = Slow {
            key,
            delay: Duration::from_millis(self.millis),
        };
        let slow = Verified::new(slow)?;
        let key = IssuingKey::new(CaChain::new(vec![root], now)?, Box::new(slow))?;

        let text = fs::read_to_string(&self.config).context("the configuration")?;
        let config = Config::parse(&text, &self.config.display().to_string())?;
        let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&HttpOptions::new(Vec::new()))?);
        let issuers = Issuers::new(&config, &|_| Ok(Arc::clone(&fetch)))?;
        let issuer = CertificateIssuer::new(Arc::new(LocalAuthority::new(key)));
        let snapshot = Snapshot::new(Pipeline::new(Arc::new(issuers), issuer), &config);

        let metrics = Metrics::new()?;
        let current = Arc::new(CurrentSnapshot::new(snapshot));
        let api = Router::new().with_http(HttpApi::new(current, metrics.api()));
        let page = Router::new().with_mount("/", metrics.page().with_process());
        let shutdown = Shutdown::default();
        let listen = async |address, router| {
            let listener = Listener::bind(address).await?;
            let serving = listener.serve(router, Limits::default(), shutdown.clone());
            anyhow::Ok(tokio::spawn(serving))
        };
        let page = listen(self.metrics, page).await?;
        let api = listen(self.address, api).await?;
        page.await?;
        api.await?;
        Ok(())
    }
}

/// A key that answers late, without keeping a thread waiting.
#[derive(Debug)]
struct Slow {
    key: EphemeralSigner,
    delay: Duration,
}

impl Signer for Slow {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.key.sign(message).await
        })
    }
}
