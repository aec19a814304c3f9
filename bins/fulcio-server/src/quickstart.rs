use core::{net::SocketAddr, time::Duration};
use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_api::{GrpcApi, HttpApi, Serving};
use fulcio_challenge::PermittedAlgorithms;
use fulcio_ct_log::{EmbeddedLog, Error as LogError};
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind};
use fulcio_server::{CurrentSnapshot, Limits, LogFiles, Metrics, Shutdown};

use crate::{
    data_dir::DataDir,
    dev_idp::MountedDevIdp,
    first_client::{self, FirstCertificate, FirstClient},
    identity_issuers::{ConfiguredIssuers, issuers},
    ports, private_ca,
    reload::InForce,
    serve::Parts,
    stop,
    transparency::{OpenLogs, open_embedded},
};

/// Try everything on this machine: a private CA, its log and a development identity provider.
///
/// It listens on 127.0.0.1 only. Whoever can reach it gets a certificate for any e-mail address,
/// because the development identity provider asks for no password.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// The folder for keys, certificates and the log; a second start goes on with them.
    #[arg(long, value_name = "DIR", default_value = "./fulcio-data")]
    data_dir: PathBuf,
    /// The identity of the first certificate, an e-mail address.
    #[arg(long, value_name = "EMAIL", default_value = "alice@example.com")]
    identity: String,
    /// File that holds the password of the CA's keys in its first line. Without it, a random
    /// password is kept in the data folder.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The port, on 127.0.0.1.
    #[arg(long, default_value = "5555")]
    port: u16,
    /// End after the first certificate, instead of serving until Ctrl-C.
    #[arg(long)]
    once: bool,
}

impl Quickstart {
    pub(crate) async fn run(self) -> Result<()> {
        let stopped = stop::signalled()?;
        tokio::pin!(stopped);
        let listener = ports::bind("--port", SocketAddr::from(([127, 0, 0, 1], self.port))).await?;
        let base = format!("http://{}", listener.address());
        let authority = listener.address().to_string();

        let dir = DataDir::open(&self.data_dir)?;
        let key = private_ca::open(&dir, self.password_file.as_deref()).await?;
        let log = self.log(&dir, &format!("{authority}/ct-log"))?;
        let idp = MountedDevIdp::open(&dir, &format!("{base}/dev-idp"))?;
        let config = Config::from_issuers([IssuerConfig::new(
            IssuerAddress::Url(format!("{base}/dev-idp")),
            "sigstore",
            IssuerKind::Email,
        )]);
        let first_client = FirstClient {
            base: base.clone(),
            identity: self.identity.clone(),
            log_key: log.key().clone(),
            log_origin: log.origin().to_owned(),
            chain: key.chain().to_vec(),
        };

        let metrics = Metrics::new()?;
        // Everything is on this machine, which is reached without a proxy.
        let no_roots = Arc::new(LazyLock::new(Vec::new as fn() -> _));
        let issuers = metrics.watch(issuers(&config, &no_roots, &Arc::default())?);
        let logs = OpenLogs::own(dir.path("log"), Arc::clone(&log), &metrics)?;
        let in_force = InForce {
            authority: key.into(),
            announced: Vec::new(),
            issuers: ConfiguredIssuers {
                config: Arc::new(config),
                issuers: Arc::new(issuers),
            },
            logs: Some(Arc::new(logs)),
        };
        let parts = Parts {
            metrics,
            permitted: PermittedAlgorithms::default(),
            audit: None,
            rate_limits: None,
        };
        let backend = Arc::new(CurrentSnapshot::new(parts.snapshot(&in_force)));
        let grpc = GrpcApi::new(backend.clone(), parts.metrics.api());
        let serving = Serving::new();
        let http = HttpApi::new(backend, parts.metrics.api());
        let router = ports::one_port(http, &grpc, &serving)
            .with_mount("/ct-log/", LogFiles::new(Arc::clone(&log)))
            .with_mount("/dev-idp", idp);
        let shutdown = Shutdown::default();
        let limits = Limits {
            grace: Duration::from_secs(2),
            ..Limits::default()
        };
        let server = tokio::spawn(listener.serve(router, limits, shutdown.clone()));

        let first = tokio::task::spawn_blocking(move || first_client.certificate());
        let outcome = tokio::select! {
            first = first => Some(first.context("the first request ended early")?),
            () = &mut stopped => None,
        };
        let served = match outcome {
            Some(Ok(first)) => {
                first.write(&dir)?;
                self.report(&dir, &base, &first);
                if !self.once {
                    stopped.await;
                }
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };

        serving.stop();
        shutdown.begin();
        server.await.context("the listener ended early")?;
        log.close().await.context("the transparency log")?;
        served
    }
}

const LOG_KEY: &str = "log/public-key.pem";

impl Quickstart {
    /// Opens the log in the folder. The origin of one that is there was fixed when it was made,
    /// whatever the port is now.
    fn log(&self, dir: &DataDir, origin: &str) -> Result<Arc<EmbeddedLog>> {
        let folder = dir.path("log");
        let log = match open_embedded(&folder, None) {
            Err(LogError::NoLog { .. }) => open_embedded(&folder, Some(origin)),
            opened => opened,
        };
        log.with_context(|| format!("--data-dir {}", self.data_dir.display()))
    }

    /// Tells a person what there is now, and what to do with it.
    fn report(&self, dir: &DataDir, base: &str, first: &FirstCertificate) {
        let description = &first.verified.description;
        let row = |name: &str, value: &str| println!("  {name:<12}{value}");
        println!("A certificate was issued, and chain, timestamp and log were verified:\n");
        row("Identity", &self.identity);
        row(
            "Vouched by",
            &format!("{base}/dev-idp (for development only)"),
        );
        row(
            "Valid",
            &format!("{} to {}", description.not_before, description.not_after),
        );
        row("Key", &description.public_key);
        row("Issued by", &description.issuer);
        row("Log", &format!("{base}/ct-log"));
        row(
            "Index",
            &format!(
                "{} of {} entries",
                first.inclusion.leaf_index, first.inclusion.tree_size
            ),
        );
        println!("\nFiles\n");
        row("Certificate", &dir.shown(first_client::CERTIFICATE));
        row("Chain", &dir.shown(first_client::CHAIN));
        row("Private key", &dir.shown(first_client::KEY));
        row("Log key", &dir.shown(LOG_KEY));
        if self.once {
            return;
        }

        let chain = dir.shown(first_client::CHAIN);
        let log_key = dir.shown(LOG_KEY);
        println!("\nServing HTTP and gRPC on {base} until Ctrl-C. Try next:\n");
        println!("  curl {base}/api/v2/configuration\n");
        println!(
            "  cargo run --release --bin fulcio -- request --url {base} \\\n    \
               --dev-identity bob@example.com --out bob\n"
        );
        println!(
            "  export SIGSTORE_ROOT_FILE={chain} SIGSTORE_CT_LOG_PUBLIC_KEY_FILE={log_key}\n  \
               SIGSTORE_ID_TOKEN=$(curl -s '{base}/dev-idp/token?email=bob@example.com') \\\n    \
               cosign sign-blob README.md --yes --fulcio-url {base} \\\n    \
               --use-signing-config=false --tlog-upload=false --bundle bundle.json"
        );
    }
}
