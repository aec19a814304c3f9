use core::{fmt, time::Duration};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, de::DeserializeOwned};
use ureq::{
    Agent,
    tls::{Certificate, RootCerts, TlsConfig},
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{ClientKey, Error};

/// Talks to one authority over HTTP. It blocks the thread that calls it.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    /// A client of the authority at `url`, such as `https://fulcio.example.com`. `roots` are the
    /// certificates that its TLS certificate may be under; `timeout` bounds each call as a whole.
    #[must_use]
    pub fn new(url: &str, roots: &[CertificateDer<'_>], timeout: Duration) -> Self {
        let roots = roots
            .iter()
            .map(|der| Certificate::from_der(der).to_owned())
            .collect::<Vec<_>>();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(
                rustls::crypto::aws_lc_rs::default_provider(),
            ))
            .root_certs(RootCerts::new_with_certs(&roots))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        Self {
            agent,
            base: url.trim_end_matches('/').to_owned(),
        }
    }

    /// The URL of the authority.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Asks for a certificate for `key` and the identity that `token` speaks for. The answer is
    /// the chain, the certificate first, the root last; nothing about it has been verified.
    ///
    /// # Errors
    /// The authority was not reached, refused, or did not answer with certificates.
    pub fn certificate(
        &self,
        token: &str,
        key: &ClientKey,
    ) -> Result<Vec<CertificateDer<'static>>, Error> {
        let request = serde_json::json!({
            "credentials": { "oidcIdentityToken": token },
            "certificateSigningRequest": BASE64_STANDARD.encode(key.certificate_request()?),
        });
        let url = format!("{}/api/v2/signingCert", self.base);
        let answer = self
            .agent
            .post(&url)
            .header("Accept", "application/json")
            .content_type("application/json")
            .send(request.to_string());
        let answer: SigningCertificate = read(&url, answer)?;
        let certificate = answer
            .signed_certificate_embedded_sct
            .or(answer.signed_certificate_detached_sct)
            .ok_or(Error::NoCertificate)?;
        certificate.chain.parse()
    }

    /// The chains that the authority says its certificates are under.
    ///
    /// # Errors
    /// The authority was not reached, or did not answer with certificates.
    pub fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Error> {
        let bundle: TrustBundle = self.json("/api/v2/trustBundle")?;
        bundle.chains.iter().map(Chain::parse).collect()
    }

    /// A token for `email` from the server's development identity provider.
    ///
    /// # Errors
    /// The server has no such provider, or it refuses the address.
    pub fn development_token(&self, email: &str) -> Result<Zeroizing<String>, Error> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("email", email)
            .append_pair("audience", "sigstore")
            .finish();
        self.text(&format!("/dev-idp/token?{query}"))
            .map(Zeroizing::new)
    }

    /// What is at `path`, as text.
    ///
    /// # Errors
    /// The server was not reached, or answered with another status than 200.
    pub fn text(&self, path: &str) -> Result<String, Error> {
        let bytes = self.bytes(path)?;
        String::from_utf8(bytes).map_err(|_error| Error::NotText {
            url: format!("{}{path}", self.base),
        })
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// The server was not reached, or answered with another status than 200.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Error> {
        let url = format!("{}{path}", self.base);
        body(&url, self.agent.get(&url).call())
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let url = format!("{}{path}", self.base);
        read(&url, self.agent.get(&url).call())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish()
    }
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn read<T: DeserializeOwned>(url: &str, answer: Answer) -> Result<T, Error> {
    serde_json::from_slice(&body(url, answer)?).map_err(|source| Error::Json {
        url: url.to_owned(),
        source,
    })
}

fn body(url: &str, answer: Answer) -> Result<Vec<u8>, Error> {
    let unreachable = |source| Error::Unreachable {
        url: url.to_owned(),
        source: Box::new(source),
    };
    let mut answer = answer.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let bytes = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()
        .map_err(unreachable)?;
    if status == 200 {
        return Ok(bytes);
    }
    let message = match serde_json::from_slice::<Refused>(&bytes) {
        Ok(refused) => refused.message,
        Err(_not_json) => String::from_utf8_lossy(&bytes).chars().take(200).collect(),
    };
    Err(Error::Refused {
        url: url.to_owned(),
        status,
        message,
    })
}

/// How much of an answer is read.
const MAX_ANSWER: u64 = 4 << 20;

#[derive(Deserialize)]
struct Refused {
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SigningCertificate {
    signed_certificate_embedded_sct: Option<WithChain>,
    signed_certificate_detached_sct: Option<WithChain>,
}

#[derive(Deserialize)]
struct WithChain {
    chain: Chain,
}

#[derive(Deserialize)]
struct TrustBundle {
    chains: Vec<Chain>,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

impl Chain {
    fn parse(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        if self.certificates.is_empty() {
            return Err(Error::NoCertificate);
        }
        self.certificates
            .iter()
            .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(Error::ChainPem))
            .collect()
    }
}
