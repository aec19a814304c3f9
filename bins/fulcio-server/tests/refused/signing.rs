use std::{fs, net::SocketAddr, path::Path};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_api::proto::{
    api::HttpBody,
    v1beta,
    v2::{
        CreateSigningCertificateRequest, Credentials, PublicKey, PublicKeyRequest,
        SigningCertificate, create_signing_certificate_request, credentials,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Status;

use super::super::common::{Answer, Server, grpc, http, openssl, post_json};

/// What somebody who wants a certificate sends, in whatever way.
#[derive(Clone, Debug)]
pub(super) struct SigningRequest {
    pub(super) token: String,
    pub(super) key: Option<Key>,
}

/// What is to be certified.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Csr(Vec<u8>),
    Public { pem: String, proof: Vec<u8> },
}

/// What every way of asking is answered when there is no certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) status: u16,
    pub(super) code: i32,
    pub(super) message: &'a str,
    pub(super) retry_after: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// A fault of the caller.
    pub(super) fn invalid(message: &'a str) -> Self {
        Self {
            status: 400,
            code: 3,
            message,
            retry_after: None,
        }
    }

    /// A fault of the server.
    pub(super) fn internal(message: &'a str) -> Self {
        Self {
            status: 500,
            code: 13,
            ..Self::invalid(message)
        }
    }

    /// A fault that may be gone later.
    pub(super) fn unavailable(message: &'a str, retry_after: &'a str) -> Self {
        Self {
            status: 503,
            code: 14,
            message,
            retry_after: Some(retry_after),
        }
    }

    #[track_caller]
    pub(super) fn is_answer(&self, what: &str, answer: &Answer) {
        let message = json!(self.message);
        let body = format!(
            r#"{{"code":{},"message":{message},"details":[]}}"#,
            self.code
        );
        assert_eq!(answer.text(), body, "{what}");
        assert_eq!(answer.status, self.status, "{what}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{what}"
        );
        assert_eq!(answer.header("retry-after"), self.retry_after, "{what}");
    }

    #[track_caller]
    pub(super) fn is_status(&self, what: &str, status: &Status) {
        assert_eq!(status.message(), self.message, "{what}");
        assert_eq!(status.code() as i32, self.code, "{what}");
        let retry_after = status.metadata().get("retry-after");
        assert_eq!(
            retry_after.map(|value| value.to_str().unwrap()),
            self.retry_after,
            "{what}"
        );
    }
}

impl SigningRequest {
    /// Asks in all four ways; the server must have one port for them.
    #[track_caller]
    pub(super) fn is_refused(&self, what: &str, server: &Server, row: Row<'_>) {
        row.is_answer(&format!("{what}, HTTP v2"), &self.over_http(server));
        row.is_answer(&format!("{what}, HTTP v1"), &self.over_legacy_http(server));
        let status = self.over_grpc(server.grpc()).unwrap_err();
        row.is_status(&format!("{what}, gRPC v2"), &status);
        let status = self.over_legacy_grpc(server.grpc()).unwrap_err();
        row.is_status(&format!("{what}, gRPC v1beta"), &status);
    }

    /// Asks in all four ways.
    #[track_caller]
    pub(super) fn is_granted(&self, server: &Server) {
        assert_eq!(self.over_http(server).status, 200);
        assert_eq!(self.over_legacy_http(server).status, 201);
        self.over_grpc(server.grpc()).unwrap();
        self.over_legacy_grpc(server.grpc()).unwrap();
    }

    /// The body for the second version of the API over HTTP.
    pub(super) fn json(&self) -> Value {
        let mut body = json!({ "credentials": { "oidcIdentityToken": self.token } });
        match &self.key {
            Some(Key::Csr(csr)) => body["certificateSigningRequest"] = encoded(csr).into(),
            Some(Key::Public { pem, proof }) => {
                body["publicKeyRequest"] = json!({
                    "publicKey": { "content": pem },
                    "proofOfPossession": encoded(proof),
                });
            }
            None => {}
        }
        body
    }

    #[track_caller]
    pub(super) fn over_http(&self, server: &Server) -> Answer {
        post_json(&server.url("/api/v2/signingCert"), &self.json())
    }

    #[track_caller]
    fn over_legacy_http(&self, server: &Server) -> Answer {
        let body = match &self.key {
            Some(Key::Csr(csr)) => json!({ "certificateSigningRequest": encoded(csr) }),
            Some(Key::Public { pem, proof }) => json!({
                "publicKey": { "content": encoded(pem.as_bytes()) },
                "signedEmailAddress": encoded(proof),
            }),
            None => json!({}),
        };
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", authorization.as_str())];
        let body = body.to_string();
        http(
            "POST",
            &server.url("/api/v1/signingCert"),
            &headers,
            Some(body.as_bytes()),
        )
    }

    #[track_caller]
    pub(super) fn over_grpc(&self, address: SocketAddr) -> Result<SigningCertificate, Status> {
        let token = credentials::Credentials::OidcIdentityToken(self.token.clone());
        let key = self.key.clone().map(|key| match key {
            Key::Csr(csr) => {
                create_signing_certificate_request::Key::CertificateSigningRequest(csr)
            }
            Key::Public { pem, proof } => {
                create_signing_certificate_request::Key::PublicKeyRequest(PublicKeyRequest {
                    public_key: Some(PublicKey {
                        content: pem,
                        ..PublicKey::default()
                    }),
                    proof_of_possession: proof,
                })
            }
        });
        let request = CreateSigningCertificateRequest {
            credentials: Some(Credentials {
                credentials: Some(token),
            }),
            key,
        };
        grpc(address, SIGNING, &[], request)
    }

    #[track_caller]
    #[expect(deprecated, reason = "all of the first version is")]
    fn over_legacy_grpc(&self, address: SocketAddr) -> Result<HttpBody, Status> {
        let mut request = v1beta::CreateSigningCertificateRequest::default();
        match &self.key {
            Some(Key::Csr(csr)) => request.certificate_signing_request.clone_from(csr),
            Some(Key::Public { pem, proof }) => {
                request.public_key = Some(v1beta::PublicKey {
                    content: pem.clone().into_bytes(),
                    ..v1beta::PublicKey::default()
                });
                request.signed_email_address.clone_from(proof);
            }
            None => {}
        }
        let metadata = [("oidcidentitytoken", self.token.as_str())];
        grpc(address, LEGACY_SIGNING, &metadata, request)
    }
}

/// The method of the second version of the API.
pub(super) const SIGNING: &str = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";
const LEGACY_SIGNING: &str = "/dev.sigstore.fulcio.v1beta.CA/CreateSigningCertificate";

fn encoded(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// A key pair that OpenSSL made.
#[derive(Debug)]
pub(super) struct KeyPair(TempDir);

impl KeyPair {
    /// A key as `openssl genpkey` makes it with these arguments.
    #[track_caller]
    pub(super) fn generate(arguments: &str) -> Self {
        let pair = Self(tempfile::tempdir().unwrap());
        pair.openssl(&format!("genpkey -out key.pem -algorithm {arguments}"), &[]);
        pair
    }

    pub(super) fn p256() -> Self {
        Self::generate("EC -pkeyopt ec_paramgen_curve:P-256")
    }

    pub(super) fn public(&self) -> String {
        self.openssl("pkey -in key.pem -pubout", &[])
    }

    /// The public key, and a signature over `challenge` with SHA-256.
    #[track_caller]
    pub(super) fn proof_over(&self, challenge: &str) -> Key {
        fs::write(self.folder().join("challenge"), challenge).unwrap();
        self.openssl("dgst -sha256 -sign key.pem -out signature challenge", &[]);
        Key::Public {
            pem: self.public(),
            proof: fs::read(self.folder().join("signature")).unwrap(),
        }
    }

    /// The public key with a proof that is none.
    pub(super) fn without_proof(&self) -> Key {
        Key::Public {
            pem: self.public(),
            proof: b"nothing".to_vec(),
        }
    }

    /// A certification request that was made with these more arguments, in PEM.
    #[track_caller]
    pub(super) fn csr(&self, arguments: &str) -> String {
        self.openssl(
            &format!("req -new -key key.pem {arguments} -subj"),
            &["/CN=anybody"],
        )
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    #[track_caller]
    fn openssl(&self, arguments: &str, more: &[&str]) -> String {
        let arguments: Vec<_> = arguments
            .split_whitespace()
            .chain(more.iter().copied())
            .collect();
        openssl(self.folder(), &arguments)
    }
}
