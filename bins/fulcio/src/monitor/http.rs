use std::{io::Read as _, path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use fulcio_ct_log::reader::{FetchError, Source};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::roots::tls_roots;

/// Who asks over HTTP: with the certificates in `ca_file`, or the system's, as roots, and `timeout`
/// for each request as a whole. It looks at no variable of the environment, and follows nobody
/// elsewhere.
pub(crate) fn agent(ca_file: Option<&Path>, timeout: Duration) -> Result<Agent> {
    let roots: Vec<_> = tls_roots(ca_file)?
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::from(roots))
        .build();
    Ok(Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(timeout))
        .tls_config(tls)
        .user_agent(concat!("fulcio-monitor/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}

/// A log behind HTTP.
#[derive(Debug)]
pub(crate) struct HttpLog {
    agent: Agent,
    /// Without a slash at its end.
    url: String,
}

impl HttpLog {
    pub(crate) fn new(agent: Agent, url: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { agent, url }
    }
}

impl Source for HttpLog {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        let mut answer = self.agent.get(format!("{}/{path}", self.url)).call()?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Ok(None),
            status => return Err(format!("the status is {status}").into()),
        }
        let mut body = Vec::new();
        // Read past all decoding: a small compressed body is not let through as a huge one.
        let reader = answer.body_mut().as_reader();
        reader.take(MAX_BODY + 1).read_to_end(&mut body)?;
        if body.len() as u64 > MAX_BODY {
            return Err(format!("the answer is longer than {MAX_BODY} bytes").into());
        }
        Ok(Some(body))
    }
}

/// Bytes of an answer: 256 entries of 64 KiB each.
const MAX_BODY: u64 = 16 << 20;
