use std::net::SocketAddr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_api::proto::{
    health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse},
    v2::{
        CertificateChain, Configuration, CreateSigningCertificateRequest, Credentials,
        GetConfigurationRequest, GetTrustBundleRequest, PublicKey, PublicKeyAlgorithm,
        PublicKeyRequest, SigningCertificate, TrustBundle, create_signing_certificate_request::Key,
        credentials::Credentials as Token, oidc_issuer::Issuer, signing_certificate::Certificate,
    },
};
use serde_json::{Map, Value, json};
use tonic::Status;

use crate::common::grpc;

/// Calls a method with a message in proto3 JSON, and gives the answer in proto3 JSON, without the
/// members that have their default value.
pub(crate) fn call(
    address: SocketAddr,
    path: &str,
    metadata: &[(&str, &str)],
    body: &Value,
) -> Result<Value, Status> {
    let answer = match path {
        "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate" => {
            grpc(address, path, metadata, signing_request(body)).map(signing_certificate)
        }
        "/dev.sigstore.fulcio.v2.CA/GetTrustBundle" => {
            grpc(address, path, metadata, GetTrustBundleRequest {})
                .map(|TrustBundle { chains }| json!({ "chains": all(chains, chain) }))
        }
        "/dev.sigstore.fulcio.v2.CA/GetConfiguration" => {
            grpc(address, path, metadata, GetConfigurationRequest {}).map(configuration)
        }
        "/grpc.health.v1.Health/Check" => {
            grpc(address, path, metadata, HealthCheckRequest::default()).map(health)
        }
        "/grpc.health.v1.Health/List" => {
            grpc(address, path, metadata, HealthListRequest {}).map(|list: HealthListResponse| {
                let statuses = list.statuses.into_iter();
                let statuses: Map<_, _> = statuses
                    .map(|(name, status)| (name, health(status)))
                    .collect();
                json!({ "statuses": statuses })
            })
        }
        _ => grpc(address, path, metadata, ()).map(|()| json!({})),
    };
    answer.map(without_defaults)
}

fn signing_request(body: &Value) -> CreateSigningCertificateRequest {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bytes = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let credentials = body.get("credentials").map(|credentials| Credentials {
        credentials: Some(Token::OidcIdentityToken(text(
            &credentials["oidcIdentityToken"],
        ))),
    });
    let csr = body.get("certificateSigningRequest");
    let key = csr.map(|csr| Key::CertificateSigningRequest(bytes(csr)));
    let key = key.or_else(|| {
        let request = body.get("publicKeyRequest")?;
        let key = &request["publicKey"];
        let algorithm = text(&key["algorithm"]);
        Some(Key::PublicKeyRequest(PublicKeyRequest {
            public_key: Some(PublicKey {
                algorithm: PublicKeyAlgorithm::from_str_name(&algorithm)
                    .unwrap_or_default()
                    .into(),
                content: text(&key["content"]),
            }),
            proof_of_possession: bytes(&request["proofOfPossession"]),
        }))
    });
    CreateSigningCertificateRequest { credentials, key }
}

fn signing_certificate(answer: SigningCertificate) -> Value {
    match answer.certificate.unwrap() {
        Certificate::SignedCertificateDetachedSct(detached) => json!({
            "signedCertificateDetachedSct": {
                "chain": chain(detached.chain.unwrap()),
                "signedCertificateTimestamp":
                    BASE64_STANDARD.encode(detached.signed_certificate_timestamp),
            }
        }),
        Certificate::SignedCertificateEmbeddedSct(embedded) => json!({
            "signedCertificateEmbeddedSct": { "chain": chain(embedded.chain.unwrap()) }
        }),
    }
}

fn chain(chain: CertificateChain) -> Value {
    json!({ "certificates": chain.certificates })
}

fn configuration(configuration: Configuration) -> Value {
    let issuers = all(configuration.issuers, |issuer| {
        let (name, url) = match issuer.issuer.unwrap() {
            Issuer::IssuerUrl(url) => ("issuerUrl", url),
            Issuer::WildcardIssuerUrl(url) => ("wildcardIssuerUrl", url),
        };
        json!({
            name: url,
            "audience": issuer.audience,
            "challengeClaim": issuer.challenge_claim,
            "spiffeTrustDomain": issuer.spiffe_trust_domain,
            "issuerType": issuer.issuer_type,
            "subjectDomain": issuer.subject_domain,
            "skipEmailVerification": issuer.skip_email_verification,
        })
    });
    json!({ "issuers": issuers })
}

fn health(answer: HealthCheckResponse) -> Value {
    json!({ "status": answer.status().as_str_name() })
}

fn all<T>(items: Vec<T>, to_json: impl Fn(T) -> Value) -> Vec<Value> {
    items.into_iter().map(to_json).collect()
}

fn without_defaults(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, without_defaults(value)))
            .filter(|(_, value)| *value != json!("") && *value != json!(false))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => all(items, without_defaults).into(),
        value => value,
    }
}
