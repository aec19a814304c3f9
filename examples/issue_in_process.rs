//! Verifies a token and issues a certificate, in one process and without a server.

use std::{error::Error, sync::Arc};

use bytes::Bytes;
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, pem};
use fulcio_challenge::Proof;
use fulcio_client::ClientKey;
use fulcio_dev_idp::{DevIdp, Keys, TokenRequest};
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Clock as _, IssuingKey, LocalAuthority, Pipeline, RandomSerialNumbers,
    Request, RequestContext, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_oidc_verify::{Fetch, Fetching};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Whom to believe: any OpenID provider, through `HttpFetch`; here one in this process.
    let idp = Arc::new(DevIdp::new("http://127.0.0.1/idp", Keys::generate()?)?);
    let address = IssuerAddress::Url(idp.issuer().to_owned());
    let config = Config::from_issuers([IssuerConfig::new(address, "sigstore", IssuerKind::Email)]);
    let issuers = Issuers::new(&config, &|_| Ok(Arc::new(InProcess(Arc::clone(&idp)))))?;

    // Who signs: a root for this process; `FileSigner` and others keep theirs.
    let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;
    let template = CaTemplate::root(DistinguishedName::new("Example", "Example root"));
    let root = ca_certificate(&template, &signer, None, serial, now).await?;
    let key = IssuingKey::new(CaChain::new(vec![root], now)?, Box::new(signer))?;
    let issuer = CertificateIssuer::new(Arc::new(LocalAuthority::new(key)));
    let pipeline = Pipeline::new(Arc::new(issuers), issuer);

    // What a client sends.
    let token = idp.token(&TokenRequest::for_email("ada@example.com"), now)?;
    let csr = ClientKey::generate()?.certificate_request()?;
    let request = Request {
        token: &token,
        proof: Proof::Csr(csr.as_bytes()),
    };

    let context = RequestContext::new("example");
    let certified = pipeline.issue(request, &context).await?;
    print!("{}", pem(&certified.chain[0]));
    Ok(())
}

/// Reads the provider's documents where they are made.
#[derive(Debug)]
struct InProcess(Arc<DevIdp>);

impl Fetch for InProcess {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let request = http::Request::get(url).header("host", "127.0.0.1");
        let answer = request
            .body(Bytes::new())
            .map(|request| self.0.handle(&request, SystemClock.now()));
        Box::pin(async move {
            let answer =
                answer.map_err(|error| fulcio_oidc_verify::FetchError::Transport(error.into()))?;
            Ok(answer.into_body().to_vec())
        })
    }
}
