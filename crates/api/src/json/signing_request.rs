use std::borrow::Cow;

use fulcio_challenge::Proof;

use super::{
    DecodeError, Writer,
    reader::{Reader, Seen},
    syntax::first_value,
};

/// A request for a certificate, as the second version of the API has it in JSON:
/// `dev.sigstore.fulcio.v2.CreateSigningCertificateRequest`.
///
/// What needs no unescaping is borrowed from the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningRequest<'a> {
    /// The token; empty when the body has none.
    pub token: Cow<'a, str>,
    /// The key and the proof that its private half is at hand.
    pub key: KeyMaterial<'a>,
}

/// A key, in one of the ways in which it may come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the arms of the wire's oneof")]
pub enum KeyMaterial<'a> {
    /// A PKCS#10 request as PEM text.
    Csr(Vec<u8>),
    /// None at all.
    #[default]
    None,
    /// A public key, and a signature made with its private half.
    PublicKey {
        /// The key as PEM text.
        content: Cow<'a, str>,
        /// The signature.
        proof: Vec<u8>,
    },
}

impl<'a> SigningRequest<'a> {
    /// A request that carries `token`, for the key of `key`.
    pub fn new(token: impl Into<Cow<'a, str>>, key: KeyMaterial<'a>) -> Self {
        Self {
            token: token.into(),
            key,
        }
    }

    /// Reads the first JSON value of a body; a body without one is an empty request.
    ///
    /// # Errors
    /// It is not JSON, or not this message. Unknown fields are no error.
    pub fn from_json(body: &'a [u8]) -> Result<Self, DecodeError> {
        const ONEOF: &str = "dev.sigstore.fulcio.v2.CreateSigningCertificateRequest.key";

        let mut request = Self::default();
        let Some(value) = first_value(body)? else {
            return Ok(request);
        };
        let mut reader = Reader::new(value);
        let mut seen = Seen::default();
        reader.open()?;
        while let Some(name) = reader.name()? {
            match &*name.text {
                "credentials" => {
                    if reader.is_given(&name, 1, &mut seen)? {
                        request.token = read_credentials(&mut reader)?;
                    }
                }
                "publicKeyRequest" | "public_key_request" => {
                    if reader.is_chosen(&name, 2, &mut seen, ONEOF)? {
                        request.key = read_public_key_request(&mut reader)?;
                    }
                }
                "certificateSigningRequest" | "certificate_signing_request" => {
                    if reader.is_chosen(&name, 3, &mut seen, ONEOF)? {
                        request.key = KeyMaterial::Csr(reader.bytes("certificateSigningRequest")?);
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(request)
    }

    /// Writes the request as a client sends it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Writer::with_capacity(256 + self.token.len() + self.key.len() * 4 / 3);
        json.raw(r#"{"credentials":{"oidcIdentityToken":"#);
        json.string(&self.token);
        json.raw("}");
        match &self.key {
            KeyMaterial::Csr(csr) => {
                json.raw(r#","certificateSigningRequest":"#);
                json.bytes(csr);
            }
            KeyMaterial::None => {}
            KeyMaterial::PublicKey { content, proof } => {
                json.raw(r#","publicKeyRequest":{"publicKey":{"content":"#);
                json.string(content);
                json.raw(r#"},"proofOfPossession":"#);
                json.bytes(proof);
                json.raw("}");
            }
        }
        json.raw("}");
        json.into_bytes()
    }
}

impl KeyMaterial<'_> {
    /// What is to be verified. No key, or an empty CSR, is an empty key, which no proof is for.
    #[must_use]
    pub fn proof(&self) -> Proof<'_> {
        match self {
            Self::Csr(csr) if !csr.is_empty() => Proof::Csr(csr),
            Self::Csr(_) | Self::None => Proof::Challenge {
                key: &[],
                signature: &[],
            },
            Self::PublicKey { content, proof } => Proof::Challenge {
                key: content.as_bytes(),
                signature: proof,
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Csr(csr) => csr.len(),
            Self::None => 0,
            Self::PublicKey { content, proof } => content.len() + proof.len(),
        }
    }
}

fn read_credentials<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, DecodeError> {
    const ONEOF: &str = "dev.sigstore.fulcio.v2.Credentials.credentials";

    let mut token = Cow::default();
    let mut seen = Seen::default();
    reader.open()?;
    while let Some(name) = reader.name()? {
        match &*name.text {
            "oidcIdentityToken" | "oidc_identity_token" => {
                if reader.is_chosen(&name, 1, &mut seen, ONEOF)? {
                    token = reader.string("oidcIdentityToken")?;
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(token)
}

fn read_public_key_request<'a>(reader: &mut Reader<'a>) -> Result<KeyMaterial<'a>, DecodeError> {
    let mut content = Cow::default();
    let mut proof = Vec::new();
    let mut seen = Seen::default();
    reader.open()?;
    while let Some(name) = reader.name()? {
        match &*name.text {
            "publicKey" | "public_key" => {
                if reader.is_given(&name, 1, &mut seen)? {
                    content = read_public_key(reader)?;
                }
            }
            "proofOfPossession" | "proof_of_possession" => {
                if reader.is_given(&name, 2, &mut seen)? {
                    proof = reader.bytes("proofOfPossession")?;
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(KeyMaterial::PublicKey { content, proof })
}

fn read_public_key<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, DecodeError> {
    let mut content = Cow::default();
    let mut seen = Seen::default();
    reader.open()?;
    while let Some(name) = reader.name()? {
        match &*name.text {
            "algorithm" => {
                if reader.is_given(&name, 1, &mut seen)? {
                    reader.skip_enum("algorithm")?;
                }
            }
            "content" => {
                if reader.is_given(&name, 2, &mut seen)? {
                    content = reader.string("content")?;
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(content)
}
