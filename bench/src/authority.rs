use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
};

use crate::case::Curve;

/// The files of an authority, a root and an intermediate of one curve, and of a log.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The intermediate's certificate and the root's.
    pub(crate) chain: PathBuf,
    /// The intermediate's key.
    pub(crate) key: PathBuf,
    /// The root's certificate.
    pub(crate) root: PathBuf,
    /// The key of a log.
    pub(crate) log_key: PathBuf,
    /// Its public half.
    pub(crate) log_public_key: PathBuf,
}

impl Authority {
    /// Makes one in `folder`.
    pub(crate) fn create(folder: &Path, curve: Curve) -> Result<Self> {
        let algorithm = match curve {
            Curve::P256 => &PKCS_ECDSA_P256_SHA256,
            Curve::P384 => &PKCS_ECDSA_P384_SHA384,
        };
        let root_key = KeyPair::generate_for(algorithm)?;
        let key = KeyPair::generate_for(algorithm)?;
        let log_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;

        let mut root = params("root", BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key)?;
        root.key_identifier_method = rcgen::KeyIdMethod::Sha256;
        let mut intermediate = params("intermediate", BasicConstraints::Constrained(0));
        intermediate.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        intermediate.use_authority_key_identifier_extension = true;
        let issuer = Issuer::from_params(&root, &root_key);
        let certificate = intermediate.signed_by(&key, &issuer)?;

        let [root, certificate] =
            [&root_certificate, &certificate].map(|one| pem("CERTIFICATE", one.der()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| path.display().to_string())?;
            anyhow::Ok(path)
        };
        let (root, certificate) = (root?, certificate?);
        Ok(Self {
            chain: write("chain.pem", &(certificate + &root))?,
            root: write("root.pem", &root)?,
            key: write("key.pem", &pem("PRIVATE KEY", key.serialized_der())?)?,
            log_key: write("ct.key", &pem("PRIVATE KEY", log_key.serialized_der())?)?,
            log_public_key: write("ct.pub", &pem("PUBLIC KEY", &spki(&log_key))?)?,
        })
    }
}

/// The public half of a key in DER (RFC 5280 section 4.1).
pub(crate) fn spki(key: &KeyPair) -> Vec<u8> {
    use rcgen::PublicKeyData as _;
    key.subject_public_key_info()
}

/// DER as PEM.
pub(crate) fn pem(label: &'static str, der: &[u8]) -> Result<String> {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .map_err(|error| anyhow::anyhow!("{label} as PEM: {error}"))
}

fn params(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "bench");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
