use std::sync::Arc;

use fulcio_challenge::Proof;
use fulcio_issuance::{Certified, Timestamp};
use pki_types::CertificateDer;
use tonic::{Request, Response, Status, async_trait};

use super::{context_of, status, token_of};
use crate::{
    IssuerUrl, OidcIssuer,
    calls::Calls,
    pem,
    proto::v2::{
        CertificateChain, Configuration, CreateSigningCertificateRequest, GetConfigurationRequest,
        GetTrustBundleRequest, OidcIssuer as OidcIssuerMessage, PublicKeyRequest,
        SigningCertificate, SigningCertificateDetachedSct, SigningCertificateEmbeddedSct,
        TrustBundle, ca_server::Ca, create_signing_certificate_request::Key, credentials,
        oidc_issuer::Issuer, signing_certificate::Certificate,
    },
    rpc::Rpc,
};

/// The second version of the API.
#[derive(Clone, Debug)]
pub struct Authority {
    calls: Arc<Calls>,
}

impl Authority {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { calls }
    }
}

#[async_trait]
impl Ca for Authority {
    async fn create_signing_certificate(
        &self,
        request: Request<CreateSigningCertificateRequest>,
    ) -> Result<Response<SigningCertificate>, Status> {
        let context = context_of(&self.calls, Rpc::CreateSigningCertificate, &request);
        let message = request.get_ref();
        let token = match message
            .credentials
            .as_ref()
            .and_then(|credentials| credentials.credentials.as_ref())
        {
            Some(credentials::Credentials::OidcIdentityToken(token)) if !token.is_empty() => token,
            _ => token_of(request.metadata()),
        };
        let certified = self
            .calls
            .issue(
                Rpc::CreateSigningCertificate,
                token,
                Some(proof(message.key.as_ref())),
                &context,
            )
            .await
            .map_err(|refusal| status(&refusal))?;
        Ok(Response::new(signing_certificate(&certified)))
    }

    async fn get_trust_bundle(
        &self,
        _request: Request<GetTrustBundleRequest>,
    ) -> Result<Response<TrustBundle>, Status> {
        let chains = self
            .calls
            .trust_bundle(Rpc::GetTrustBundle)
            .await
            .map_err(|refusal| status(&refusal))?;
        let chains = chains.iter().map(|chain| self::chain(chain, "\n"));
        Ok(Response::new(TrustBundle {
            chains: chains.collect(),
        }))
    }

    async fn get_configuration(
        &self,
        _request: Request<GetConfigurationRequest>,
    ) -> Result<Response<Configuration>, Status> {
        let issuers = self
            .calls
            .configuration()
            .await
            .map_err(|refusal| status(&refusal))?;
        Ok(Response::new(Configuration {
            issuers: issuers.into_iter().map(issuer).collect(),
        }))
    }
}

/// What is to be verified. No key, or an empty CSR, is an empty key, which no proof is for.
fn proof(key: Option<&Key>) -> Proof<'_> {
    match key {
        Some(Key::CertificateSigningRequest(csr)) if !csr.is_empty() => Proof::Csr(csr),
        Some(Key::PublicKeyRequest(PublicKeyRequest {
            public_key,
            proof_of_possession,
        })) => Proof::Challenge {
            key: public_key
                .as_ref()
                .map(|key| key.content.as_bytes())
                .unwrap_or_default(),
            signature: proof_of_possession,
        },
        Some(Key::CertificateSigningRequest(_)) | None => Proof::Challenge {
            key: &[],
            signature: &[],
        },
    }
}

fn signing_certificate(certified: &Certified) -> SigningCertificate {
    let chain = Some(chain(&certified.chain, ""));
    let signed_certificate_timestamp = match &certified.timestamp {
        Timestamp::Detached(timestamp) => timestamp.to_json().into_bytes(),
        Timestamp::Embedded(_) => {
            let embedded = SigningCertificateEmbeddedSct { chain };
            return Certificate::SignedCertificateEmbeddedSct(embedded).into();
        }
        Timestamp::None => Vec::new(),
    };
    Certificate::SignedCertificateDetachedSct(SigningCertificateDetachedSct {
        chain,
        signed_certificate_timestamp,
    })
    .into()
}

impl From<Certificate> for SigningCertificate {
    fn from(certificate: Certificate) -> Self {
        Self {
            certificate: Some(certificate),
        }
    }
}

fn chain(certificates: &[CertificateDer<'_>], end: &str) -> CertificateChain {
    CertificateChain {
        certificates: certificates
            .iter()
            .map(|certificate| pem::string(certificate, end))
            .collect(),
    }
}

fn issuer(issuer: OidcIssuer) -> OidcIssuerMessage {
    OidcIssuerMessage {
        issuer: Some(match issuer.url {
            IssuerUrl::Exact(url) => Issuer::IssuerUrl(url),
            IssuerUrl::Wildcard(url) => Issuer::WildcardIssuerUrl(url),
        }),
        audience: issuer.audience,
        challenge_claim: issuer.challenge_claim,
        spiffe_trust_domain: issuer.spiffe_trust_domain,
        issuer_type: issuer.issuer_type,
        subject_domain: issuer.subject_domain,
        skip_email_verification: issuer.skip_email_verification,
    }
}
