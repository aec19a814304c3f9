use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fulcio_challenge::Proof;
use fulcio_issuance::Timestamp;
use tonic::{Request, Response, Status, async_trait, metadata::AsciiMetadataValue};

use super::{context_of, status, token_of};
use crate::{
    calls::Calls,
    pem,
    proto::{
        api::HttpBody,
        v1beta::{CreateSigningCertificateRequest, ca_server::Ca},
    },
    rpc::Rpc,
};

/// The first version of the API.
#[derive(Clone, Debug)]
pub struct LegacyAuthority {
    calls: Arc<Calls>,
}

impl LegacyAuthority {
    pub(super) fn new(calls: Arc<Calls>) -> Self {
        Self { calls }
    }
}

#[async_trait]
impl Ca for LegacyAuthority {
    async fn create_signing_certificate(
        &self,
        request: Request<CreateSigningCertificateRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        let rpc = Rpc::LegacyCreateSigningCertificate;
        let context = context_of(&self.calls, rpc, &request);
        let certified = self
            .calls
            .issue(
                rpc,
                token_of(request.metadata()),
                proof(request.get_ref()),
                &context,
            )
            .await
            .map_err(|refusal| status(&refusal))?;
        let mut response = Response::new(body(pem::text(&certified.chain, pem::CHAIN)));
        let metadata = response.metadata_mut();
        metadata.insert("x-http-code", AsciiMetadataValue::from_static("201"));
        if let Timestamp::Detached(timestamp) = &certified.timestamp {
            let timestamp = BASE64_STANDARD.encode(timestamp.to_json());
            if let Ok(timestamp) = AsciiMetadataValue::try_from(timestamp) {
                metadata.insert("x-sct", timestamp);
            }
        }
        Ok(response)
    }

    async fn get_root_certificate(
        &self,
        _request: Request<()>,
    ) -> Result<Response<HttpBody>, Status> {
        let chains = self
            .calls
            .trust_bundle(Rpc::LegacyGetRootCertificate)
            .await
            .map_err(|refusal| status(&refusal))?;
        let certificates = chains.iter().flatten();
        Ok(Response::new(body(pem::text(certificates, pem::BUNDLE))))
    }
}

/// What is to be verified, unless there is neither a CSR nor a key.
#[expect(deprecated, reason = "all of the first version's fields are")]
fn proof(request: &CreateSigningCertificateRequest) -> Option<Proof<'_>> {
    if !request.certificate_signing_request.is_empty() {
        return Some(Proof::Csr(&request.certificate_signing_request));
    }
    Some(Proof::Challenge {
        key: &request.public_key.as_ref()?.content,
        signature: &request.signed_email_address,
    })
}

fn body(pem: Vec<u8>) -> HttpBody {
    HttpBody {
        content_type: "application/pem-certificate-chain".to_owned(),
        data: pem,
        extensions: Vec::new(),
    }
}
