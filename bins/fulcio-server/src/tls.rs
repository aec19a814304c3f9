use core::error::Error as StdError;
use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_issuance::SystemClock;
use fulcio_server::{Metrics, ReloadMetrics, ReloadRequests, Tls, TlsFiles, TlsPolicy, TlsVersion};

use crate::{
    secret_file::warn_if_exposed,
    usage_error::UsageError,
    values::{List, Optional, list},
};

/// How HTTP and gRPC speak TLS. The files are read again when they change.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsFlags {
    /// PEM file of the server's chain for HTTP, its own certificate first.
    #[arg(long, value_name = "FILE", default_value = "")]
    http_tls_certificate: Optional<PathBuf>,
    /// PEM file of the server's key for HTTP, without a password.
    #[arg(long, value_name = "FILE", default_value = "")]
    http_tls_key: Optional<PathBuf>,
    /// PEM file of the server's chain for gRPC, its own certificate first.
    #[arg(long, value_name = "FILE", default_value = "")]
    grpc_tls_certificate: Optional<PathBuf>,
    /// PEM file of the server's key for gRPC, without a password.
    #[arg(long, value_name = "FILE", default_value = "")]
    grpc_tls_key: Optional<PathBuf>,
    /// The lowest version of TLS, 1.2 or 1.3.
    #[arg(long, value_name = "VERSION", default_value = "1.3")]
    tls_min_version: TlsVersion,
    /// Cipher suites, separated by commas and named as in Go; without the flag, all.
    #[arg(long, value_name = "NAMES", value_parser = suites)]
    tls_cipher_suites: Vec<List>,
}

/// Certificate and key of each port that speaks TLS.
#[derive(Debug)]
pub(crate) struct TlsParts {
    pub(crate) http: Option<TlsFiles>,
    pub(crate) grpc: Option<TlsFiles>,
    policy: TlsPolicy,
    reloads: Option<Reloads>,
}

/// Who asks for the files to be read again, and who counts it.
#[derive(Debug)]
struct Reloads {
    requests: ReloadRequests,
    http: ReloadMetrics,
    grpc: ReloadMetrics,
}

impl TlsFlags {
    /// Puts the flags together; nothing is read yet.
    pub(crate) fn parts(&self) -> Result<TlsParts> {
        let names = self.tls_cipher_suites.iter().flat_map(List::iter);
        Ok(TlsParts {
            http: pair("http", &self.http_tls_certificate, &self.http_tls_key)?,
            grpc: pair("grpc", &self.grpc_tls_certificate, &self.grpc_tls_key)?,
            policy: TlsPolicy::new(self.tls_min_version, names)?,
            reloads: None,
        })
    }
}

impl TlsParts {
    /// What a port has that serves HTTP and gRPC.
    pub(crate) fn both(&self) -> Result<Option<&TlsFiles>, UsageError> {
        match (&self.http, &self.grpc) {
            (Some(http), Some(grpc)) if http != grpc => Err(UsageError::new(
                "HTTP and gRPC are on one port, which has one certificate: leave out \
                 --grpc-tls-certificate and --grpc-tls-key, or choose another --grpc-port",
            )),
            (http, grpc) => Ok(http.as_ref().or(grpc.as_ref())),
        }
    }

    /// Has the files read again when somebody asks, and `metrics` count what comes of it.
    pub(crate) fn with_reloads(mut self, requests: &ReloadRequests, metrics: &Metrics) -> Self {
        let count = |part| metrics.reload(part, Arc::new(SystemClock));
        self.reloads = match (&self.http, &self.grpc) {
            (None, None) => None,
            _ => Some(Reloads {
                requests: requests.clone(),
                http: count("tls-http"),
                grpc: count("tls-grpc"),
            }),
        };
        self
    }

    /// Reads certificate and key.
    pub(crate) async fn open(&self, port: &str, files: &TlsFiles) -> Result<Tls> {
        let named = format!("--{port}-tls-key {}", files.key.display());
        warn_if_exposed(&named, &files.key);
        let tls = Tls::open(files.clone(), self.policy.clone(), Arc::new(SystemClock))
            .await
            .with_context(|| format!("--{port}-tls-certificate and --{port}-tls-key"))?;
        Ok(match &self.reloads {
            None => tls,
            Some(reloads) => {
                let counted = match port {
                    "grpc" => &reloads.grpc,
                    _ => &reloads.http,
                };
                tls.with_reloads(&reloads.requests, counted.clone())
            }
        })
    }
}

fn pair(
    port: &str,
    certificate: &Optional<PathBuf>,
    key: &Optional<PathBuf>,
) -> Result<Option<TlsFiles>, UsageError> {
    match (certificate.as_ref(), key.as_ref()) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(UsageError::new(format!(
            "--{port}-tls-key must be set when using --{port}-tls-certificate"
        ))),
        (None, Some(_)) => Err(UsageError::new(format!(
            "--{port}-tls-certificate must be set when using --{port}-tls-key"
        ))),
    }
}

/// A list of suites that there are.
fn suites(text: &str) -> Result<List, Box<dyn StdError + Send + Sync>> {
    let list = list(text)?;
    TlsPolicy::new(TlsVersion::V1_2, list.iter())?;
    Ok(list)
}
