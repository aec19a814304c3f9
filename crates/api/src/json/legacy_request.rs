use fulcio_challenge::Proof;

use super::{
    DecodeError, Writer,
    reader::{Reader, Seen},
    syntax::first_value,
};

/// A request for a certificate, as the first version of the API has it in JSON:
/// `dev.sigstore.fulcio.v1beta.CreateSigningCertificateRequest`. Its token is elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegacySigningRequest {
    /// A PKCS#10 request as PEM text; it wins over the key.
    pub certificate_signing_request: Vec<u8>,
    /// A public key, as PEM text or DER.
    pub public_key: Option<Vec<u8>>,
    /// A signature made with the private half of the key.
    pub signed_email_address: Vec<u8>,
}

impl LegacySigningRequest {
    /// A request for the key that a PKCS#10 request in PEM speaks for.
    #[must_use]
    pub fn for_csr(csr: Vec<u8>) -> Self {
        Self {
            certificate_signing_request: csr,
            ..Self::default()
        }
    }

    /// A request for `key`, with a signature that was made with its private half.
    #[must_use]
    pub fn for_key(key: Vec<u8>, signature: Vec<u8>) -> Self {
        Self {
            public_key: Some(key),
            signed_email_address: signature,
            ..Self::default()
        }
    }

    /// Reads the first JSON value of a body; a body without one is an empty request.
    ///
    /// # Errors
    /// It is not JSON, or not this message. Unknown fields are no error.
    pub fn from_json(body: &[u8]) -> Result<Self, DecodeError> {
        let mut request = Self::default();
        let Some(value) = first_value(body)? else {
            return Ok(request);
        };
        let mut reader = Reader::new(value);
        let mut seen = Seen::default();
        reader.open()?;
        while let Some(name) = reader.name()? {
            match &*name.text {
                "publicKey" => {
                    if reader.is_given(&name, 1, &mut seen)? {
                        request.public_key = Some(read_public_key(&mut reader)?);
                    }
                }
                "signedEmailAddress" => {
                    if reader.is_given(&name, 2, &mut seen)? {
                        request.signed_email_address = reader.bytes("signedEmailAddress")?;
                    }
                }
                "certificateSigningRequest" => {
                    if reader.is_given(&name, 3, &mut seen)? {
                        request.certificate_signing_request =
                            reader.bytes("certificateSigningRequest")?;
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
        let mut json = Writer::with_capacity(256 + self.certificate_signing_request.len() * 4 / 3);
        json.raw(r#"{"signedEmailAddress":"#);
        json.bytes(&self.signed_email_address);
        json.raw(r#","certificateSigningRequest":"#);
        json.bytes(&self.certificate_signing_request);
        if let Some(key) = &self.public_key {
            json.raw(r#","publicKey":{"content":"#);
            json.bytes(key);
            json.raw("}");
        }
        json.raw("}");
        json.into_bytes()
    }

    /// What is to be verified, unless there is neither a CSR nor a key.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        if !self.certificate_signing_request.is_empty() {
            return Some(Proof::Csr(&self.certificate_signing_request));
        }
        Some(Proof::Challenge {
            key: self.public_key.as_deref()?,
            signature: &self.signed_email_address,
        })
    }
}

fn read_public_key(reader: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut content = Vec::new();
    let mut seen = Seen::default();
    reader.open()?;
    while let Some(name) = reader.name()? {
        match &*name.text {
            "algorithm" => {
                if reader.is_given(&name, 1, &mut seen)? {
                    reader.string("algorithm")?;
                }
            }
            "content" => {
                if reader.is_given(&name, 2, &mut seen)? {
                    content = reader.bytes("content")?;
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(content)
}
