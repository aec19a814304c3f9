use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_api::proto::v2::{
    CreateSigningCertificateRequest, Credentials, PublicKey, PublicKeyRequest,
    create_signing_certificate_request::Key, credentials,
};
use prost::Message as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Request;
use crate::common::openssl;

pub(crate) const V1: &str = "/api/v1/signingCert";
pub(crate) const V2: &str = "/api/v2/signingCert";
pub(crate) const GRPC: &str = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";

/// A key pair that OpenSSL made.
#[derive(Debug)]
pub(crate) struct SigningKey {
    folder: TempDir,
    public: String,
    digest: &'static str,
}

/// What is to be certified.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    Csr(Vec<u8>),
    /// A public key as PEM or DER, and a signature.
    Public {
        key: Vec<u8>,
        signature: Vec<u8>,
    },
    Nothing,
}

impl SigningKey {
    pub(crate) fn p256() -> Self {
        Self::generate("EC -pkeyopt ec_paramgen_curve:P-256")
    }

    /// A key as `openssl genpkey -algorithm` makes it with these arguments.
    #[track_caller]
    pub(crate) fn generate(arguments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genpkey = format!("genpkey -out key.pem -algorithm {arguments}");
        let words: Vec<_> = genpkey.split_whitespace().collect();
        openssl(folder.path(), &words);
        let public = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]);
        let digest = match arguments {
            one if one.contains("P-384") => "-sha384",
            one if one.contains("P-521") => "-sha512",
            _ => "-sha256",
        };
        Self {
            folder,
            public,
            digest,
        }
    }

    /// The public key in PEM.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// The public key, and a signature over `challenge` as the client of this key makes it.
    #[track_caller]
    pub(crate) fn proof(&self, challenge: &str) -> Proof {
        self.proof_with(self.digest, &[], challenge)
    }

    /// The same, with another digest (such as `-sha512`) and more arguments of `openssl dgst`.
    #[track_caller]
    pub(crate) fn proof_with(&self, digest: &str, more: &[&str], challenge: &str) -> Proof {
        // Several threads may sign with one key.
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let folder = folder.path();
        fs::write(folder.join("challenge"), challenge).unwrap();
        let arguments = ["dgst", digest, "-sign", "../key.pem", "-out", "signature"];
        openssl(folder, &[&arguments, more, &["challenge"]].concat());
        Proof::Public {
            key: self.public.clone().into_bytes(),
            signature: fs::read(folder.join("signature")).unwrap(),
        }
    }

    /// A certification request, which needs no challenge.
    #[track_caller]
    pub(crate) fn csr(&self) -> Proof {
        self.csr_with(&[])
    }

    /// The same, with more arguments of `openssl req`.
    #[track_caller]
    pub(crate) fn csr_with(&self, more: &[&str]) -> Proof {
        let arguments = ["req", "-new", "-key", "key.pem", "-subj", "/CN=anybody"];
        let csr = openssl(self.folder.path(), &[&arguments, more].concat());
        Proof::Csr(csr.into_bytes())
    }
}

impl Proof {
    /// A request of the second version of the API, with the token in the body.
    pub(crate) fn v2(&self, token: &str) -> Request {
        Request::post(V2).json(&self.v2_body(Some(token)))
    }

    /// The body of the second version of the API; a key in DER cannot be in it.
    pub(crate) fn v2_body(&self, token: Option<&str>) -> Value {
        let mut body = json!({});
        if let Some(token) = token {
            body["credentials"] = json!({ "oidcIdentityToken": token });
        }
        match self {
            Self::Csr(csr) => body["certificateSigningRequest"] = encoded(csr).into(),
            Self::Public { key, signature } => {
                body["publicKeyRequest"] = json!({
                    "publicKey": { "content": String::from_utf8_lossy(key) },
                    "proofOfPossession": encoded(signature),
                });
            }
            Self::Nothing => {}
        }
        body
    }

    /// A request of the first version of the API, with the token in the header.
    pub(crate) fn v1(&self, token: &str) -> Request {
        Request::post(V1)
            .header("authorization", &format!("Bearer {token}"))
            .json(&self.v1_body())
    }

    pub(crate) fn v1_body(&self) -> Value {
        match self {
            Self::Csr(csr) => json!({ "certificateSigningRequest": encoded(csr) }),
            Self::Public { key, signature } => json!({
                "publicKey": { "content": encoded(key) },
                "signedEmailAddress": encoded(signature),
            }),
            Self::Nothing => json!({}),
        }
    }

    /// A call of the second version of the API, with the token in the message.
    pub(crate) fn grpc(&self, token: &str) -> Request {
        Request::grpc(GRPC, &self.message(Some(token)))
    }

    /// The message of that call.
    pub(crate) fn message(&self, token: Option<&str>) -> Vec<u8> {
        let key = match self {
            Self::Csr(csr) => Some(Key::CertificateSigningRequest(csr.clone())),
            Self::Public { key, signature } => Some(Key::PublicKeyRequest(PublicKeyRequest {
                public_key: Some(PublicKey {
                    content: String::from_utf8_lossy(key).into_owned(),
                    ..PublicKey::default()
                }),
                proof_of_possession: signature.clone(),
            })),
            Self::Nothing => None,
        };
        let token = token.map(|token| Credentials {
            credentials: Some(credentials::Credentials::OidcIdentityToken(
                token.to_owned(),
            )),
        });
        CreateSigningCertificateRequest {
            credentials: token,
            key,
        }
        .encode_to_vec()
    }
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
