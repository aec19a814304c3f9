use anyhow::{Context as _, Result};
use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::{BufMut as _, Bytes, BytesMut};
use fulcio_api::proto::v2::{
    CreateSigningCertificateRequest, Credentials, PublicKey, PublicKeyRequest,
    create_signing_certificate_request::Key, credentials::Credentials::OidcIdentityToken,
};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use prost::Message as _;
use serde_json::json;

use crate::{
    authority::pem,
    case::{Api, Case, ProofKind, TokenKind},
    provider::Provider,
};

/// Somebody with a key and tokens, all made before a clock starts.
#[derive(Debug)]
pub(crate) struct Subject {
    email: String,
    es256: String,
    rs256: String,
    key: Vec<u8>,
    signature: Vec<u8>,
    csr: Vec<u8>,
}

impl Subject {
    /// So many people, each with another name and another key.
    pub(crate) fn crowd(provider: &Provider, size: usize) -> Result<Vec<Self>> {
        (0..size)
            .map(|number| {
                let token = |email: &str, kind| provider.token(email, kind);
                Self::new(&token, format!("user-{number:05}@example.com"))
            })
            .collect()
    }

    /// Somebody with this address, whose tokens come from `token`.
    pub(crate) fn new(token: &dyn Fn(&str, TokenKind) -> String, email: String) -> Result<Self> {
        let random = SystemRandom::new();
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let csr = rcgen::CertificateParams::default().serialize_request(&key)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.serialized_der())?;
        Ok(Self {
            es256: token(&email, TokenKind::Es256),
            rs256: token(&email, TokenKind::Rs256),
            key: pair.public_key().as_der()?.as_ref().to_vec(),
            signature: pair.sign(&random, email.as_bytes())?.as_ref().to_vec(),
            csr: pem("CERTIFICATE REQUEST", csr.der())?.into_bytes(),
            email,
        })
    }

    /// What its certificate is to say.
    pub(crate) fn email(&self) -> &str {
        &self.email
    }

    /// The key that its certificate is to hold, in DER (RFC 5280 section 4.1).
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// What it sends.
    pub(crate) fn request(&self, case: Case) -> Result<Prepared> {
        let token = match case.token {
            TokenKind::Es256 => &self.es256,
            TokenKind::Rs256 => &self.rs256,
        };
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        let (path, body) = match case.api {
            Api::Grpc => {
                let grpc = HeaderValue::from_static("application/grpc");
                headers.insert(header::CONTENT_TYPE, grpc);
                headers.insert(header::TE, HeaderValue::from_static("trailers"));
                (GRPC, self.message(token, case.proof)?)
            }
            Api::V1 => {
                let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))?;
                bearer.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, bearer);
                headers.insert(header::CONTENT_TYPE, json);
                (V1, self.v1(case.proof))
            }
            Api::V2 => {
                headers.insert(header::CONTENT_TYPE, json);
                (V2, self.v2(token, case.proof)?)
            }
        };
        Ok(Prepared {
            path,
            headers,
            body,
        })
    }

    fn v1(&self, proof: ProofKind) -> Bytes {
        let body = match proof {
            ProofKind::Challenge => json!({
                "publicKey": { "content": BASE64_STANDARD.encode(&self.key), "algorithm": "ecdsa" },
                "signedEmailAddress": BASE64_STANDARD.encode(&self.signature),
            }),
            ProofKind::Csr => {
                json!({ "certificateSigningRequest": BASE64_STANDARD.encode(&self.csr) })
            }
        };
        body.to_string().into()
    }

    fn v2(&self, token: &str, proof: ProofKind) -> Result<Bytes> {
        let mut body = json!({ "credentials": { "oidcIdentityToken": token } });
        match proof {
            ProofKind::Challenge => {
                body["publicKeyRequest"] = json!({
                    "publicKey": { "algorithm": "ECDSA", "content": pem("PUBLIC KEY", &self.key)? },
                    "proofOfPossession": BASE64_STANDARD.encode(&self.signature),
                });
            }
            ProofKind::Csr => {
                body["certificateSigningRequest"] = BASE64_STANDARD.encode(&self.csr).into();
            }
        }
        Ok(body.to_string().into())
    }

    /// The message with the five bytes before it that gRPC wants.
    fn message(&self, token: &str, proof: ProofKind) -> Result<Bytes> {
        let key = match proof {
            ProofKind::Challenge => Key::PublicKeyRequest(PublicKeyRequest {
                public_key: Some(PublicKey {
                    content: pem("PUBLIC KEY", &self.key)?,
                    ..PublicKey::default()
                }),
                proof_of_possession: self.signature.clone(),
            }),
            ProofKind::Csr => Key::CertificateSigningRequest(self.csr.clone()),
        };
        let message = CreateSigningCertificateRequest {
            credentials: Some(Credentials {
                credentials: Some(OidcIdentityToken(token.to_owned())),
            }),
            key: Some(key),
        };
        let mut bytes = BytesMut::new();
        bytes.put_u8(0);
        bytes.put_u32(message.encoded_len().try_into()?);
        message.encode(&mut bytes)?;
        Ok(bytes.freeze())
    }
}

const GRPC: &str = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";
const V1: &str = "/api/v1/signingCert";
const V2: &str = "/api/v2/signingCert";

/// A request that is made already.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: &'static str,
    headers: HeaderMap,
    body: Bytes,
}

impl Prepared {
    /// The request for a server at this address.
    pub(crate) fn at(
        &self,
        address: core::net::SocketAddr,
        api: Api,
    ) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = self.headers.clone();
        *request.uri_mut() = match api {
            Api::Grpc => format!("http://{address}{}", self.path).parse()?,
            Api::V1 | Api::V2 => {
                let host = HeaderValue::try_from(address.to_string())?;
                request.headers_mut().insert(header::HOST, host);
                Uri::from_static(self.path)
            }
        };
        Ok(request)
    }
}

/// Every one of these people's requests, as often as it is asked for.
pub(crate) fn prepare(
    crowd: &[Subject],
    case: Case,
    address: core::net::SocketAddr,
) -> Result<Vec<Request<Full<Bytes>>>> {
    let prepared = crowd
        .iter()
        .map(|one| one.request(case)?.at(address, case.api));
    prepared.collect::<Result<_>>().context("requests")
}
