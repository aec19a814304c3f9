use const_oid::db::rfc6962::CT_PRECERT_SCTS;
use der::{Decode as _, Encode as _, asn1::Utf8StringRef};
use fulcio_ct_client::{SignedCertificateTimestamp, decode_sct_list};
use fulcio_principal::{Encoding, Extension, SubjectAltName};
use serde::Serialize;
use x509_cert::{
    Certificate,
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
        name::GeneralName,
    },
    spki::SubjectPublicKeyInfoOwned,
};

use crate::{Error, hex, inclusion::rfc3339};

/// What a certificate says, for people and for machines. Nothing in it has been verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Description {
    /// The serial number in hexadecimal.
    pub serial_number: String,
    /// The name of the authority (RFC 4514).
    pub issuer: String,
    /// The distinguished name of the subject (RFC 4514), empty in a code-signing certificate.
    pub subject: String,
    /// The first second in which it is valid (RFC 3339).
    pub not_before: String,
    /// The last second in which it is valid (RFC 3339).
    pub not_after: String,
    /// The kind of the key.
    pub public_key: String,
    /// How it was signed.
    pub signature_algorithm: String,
    /// Whom it names.
    pub identities: Vec<Identity>,
    /// Who vouched for the identity: the `iss` of the token.
    pub identity_issuer: Option<String>,
    /// The Fulcio extensions it holds.
    pub extensions: Vec<FulcioExtension>,
    /// The promises of logs that it holds.
    pub timestamps: Vec<Timestamp>,
    /// All other extensions.
    pub other_extensions: Vec<OtherExtension>,
}

/// A name in the subject alternative name extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// `email`, `uri`, `username`, or `other`.
    pub kind: &'static str,
    /// The name.
    pub value: String,
}

/// A Fulcio extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FulcioExtension {
    /// Its OID.
    pub oid: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// A signed certificate timestamp (RFC 6962 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Timestamp {
    /// The log's ID in hexadecimal.
    pub log_id: String,
    /// When the log saw the certificate, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The same moment (RFC 3339).
    pub time: String,
    /// Where in the log the certificate is, if the log says so (c2sp.org/static-ct-api).
    pub leaf_index: Option<u64>,
}

/// An extension that every X.509 certificate may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OtherExtension {
    /// Its OID.
    pub oid: String,
    /// What it is called, where that is known.
    pub name: Option<&'static str>,
    /// Whether a verifier must understand it.
    pub critical: bool,
    /// What it says, or its DER in hexadecimal.
    pub value: String,
}

impl Description {
    /// Reads a certificate.
    ///
    /// # Errors
    /// The certificate, or an extension that must be understood here, is not well formed.
    pub fn of(certificate: &[u8]) -> Result<Self, Error> {
        let certificate = Certificate::from_der(certificate)?;
        let tbs = certificate.tbs_certificate();
        let mut description = Self {
            serial_number: hex(tbs.serial_number().as_bytes()),
            issuer: tbs.issuer().to_string(),
            subject: tbs.subject().to_string(),
            not_before: tbs.validity().not_before.to_string(),
            not_after: tbs.validity().not_after.to_string(),
            public_key: key_name(tbs.subject_public_key_info()),
            signature_algorithm: oid_name(&certificate.signature_algorithm().oid),
            identities: Vec::new(),
            identity_issuer: None,
            extensions: Vec::new(),
            timestamps: Vec::new(),
            other_extensions: Vec::new(),
        };
        for extension in tbs.extensions().into_iter().flatten() {
            description.add(extension)?;
        }
        Ok(description)
    }

    /// The value of one Fulcio extension.
    #[must_use]
    pub fn extension(&self, extension: Extension) -> Option<&str> {
        let found = self.extensions.iter().find(|e| e.oid == extension.oid())?;
        Some(&found.value)
    }

    fn add(&mut self, extension: &x509_cert::ext::Extension) -> Result<(), Error> {
        let oid = extension.extn_id.to_string();
        let value = extension.extn_value.as_bytes();
        if let Some(known) = Extension::from_oid(&oid) {
            let text = match known.encoding() {
                Encoding::Raw => String::from_utf8_lossy(value).into_owned(),
                Encoding::Utf8String => Utf8StringRef::from_der(value)?.as_str().to_owned(),
            };
            if matches!(known, Extension::IssuerV1 | Extension::IssuerV2) {
                self.identity_issuer = Some(text.clone());
            }
            self.extensions.push(FulcioExtension {
                oid: known.oid(),
                name: known.title(),
                value: text,
            });
        } else if extension.extn_id == CT_PRECERT_SCTS {
            self.timestamps = timestamps(value)?.iter().map(Timestamp::of).collect();
        } else if oid == SUBJECT_ALT_NAME {
            let names = Vec::<GeneralName>::from_der(value)?;
            self.identities = names.iter().map(Identity::of).collect::<Result<_, _>>()?;
        } else {
            self.other_extensions.push(OtherExtension {
                name: OTHERS
                    .iter()
                    .find(|(o, _)| *o == oid)
                    .map(|(_, name)| *name),
                value: explained(&oid, value).unwrap_or_else(|| hex(value)),
                oid,
                critical: extension.critical,
            });
        }
        Ok(())
    }
}

/// The timestamps in the extension of RFC 6962 section 3.3, an OCTET STRING in the `extnValue`.
pub(crate) fn timestamps(value: &[u8]) -> Result<Vec<SignedCertificateTimestamp>, Error> {
    let list = <&der::asn1::OctetStringRef>::from_der(value)?;
    decode_sct_list(list.as_bytes()).map_err(Error::Timestamp)
}

const SUBJECT_ALT_NAME: &str = "2.5.29.17";

const OTHERS: [(&str, &str); 6] = [
    ("2.5.29.14", "Subject Key Identifier"),
    ("2.5.29.15", "Key Usage"),
    ("2.5.29.19", "Basic Constraints"),
    ("2.5.29.35", "Authority Key Identifier"),
    ("2.5.29.37", "Extended Key Usage"),
    ("1.3.6.1.4.1.11129.2.4.3", "CT Precertificate Poison"),
];

/// What an extension of [`OTHERS`] says, in words; nothing where it does not parse.
fn explained(oid: &str, value: &[u8]) -> Option<String> {
    match oid {
        "2.5.29.14" => {
            let identifier = SubjectKeyIdentifier::from_der(value).ok()?;
            Some(hex(identifier.0.as_bytes()))
        }
        "2.5.29.15" => {
            let usage = KeyUsage::from_der(value).ok()?;
            let names = usage.0.into_iter().map(|usage| format!("{usage:?}"));
            Some(names.collect::<Vec<_>>().join(", "))
        }
        "2.5.29.19" => {
            let constraints = BasicConstraints::from_der(value).ok()?;
            Some(match constraints.path_len_constraint {
                Some(length) => format!("CA {}, path length {length}", constraints.ca),
                None => format!("CA {}", constraints.ca),
            })
        }
        "2.5.29.35" => {
            let identifier = AuthorityKeyIdentifier::from_der(value).ok()?;
            Some(hex(identifier.key_identifier?.as_bytes()))
        }
        "2.5.29.37" => {
            let usage = ExtendedKeyUsage::from_der(value).ok()?;
            let names = usage.0.iter().map(oid_name);
            Some(names.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

fn oid_name(oid: &const_oid::ObjectIdentifier) -> String {
    match const_oid::db::DB.by_oid(oid) {
        Some(name) => name.to_owned(),
        None => oid.to_string(),
    }
}

fn key_name(key: &SubjectPublicKeyInfoOwned) -> String {
    let algorithm = oid_name(&key.algorithm.oid);
    match algorithm.as_str() {
        "id-ecPublicKey" => match curve(key) {
            Some(curve) => format!("ECDSA {}", curve_name(&oid_name(&curve))),
            None => "ECDSA".to_owned(),
        },
        "rsaEncryption" => {
            let modulus = pkcs1_modulus_bits(key.subject_public_key.raw_bytes());
            modulus.map_or_else(|| "RSA".to_owned(), |bits| format!("RSA {bits}"))
        }
        "id-Ed25519" => "Ed25519".to_owned(),
        _ => algorithm,
    }
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Option<const_oid::ObjectIdentifier> {
    key.algorithm.parameters.as_ref()?.decode_as().ok()
}

fn curve_name(oid_name: &str) -> &str {
    match oid_name {
        "secp256r1" => "P-256",
        "secp384r1" => "P-384",
        "secp521r1" => "P-521",
        other => other,
    }
}

/// The size of the modulus, the first INTEGER of an `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn pkcs1_modulus_bits(key: &[u8]) -> Option<usize> {
    let key = Vec::<der::asn1::Uint>::from_der(key).ok()?;
    let modulus = key.first()?.as_bytes();
    Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
}

impl Identity {
    fn of(name: &GeneralName) -> Result<Self, Error> {
        let (kind, value) = match name {
            GeneralName::Rfc822Name(email) => ("email", email.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => ("uri", uri.to_string()),
            GeneralName::OtherName(other)
                if other.type_id.to_string() == SubjectAltName::USERNAME_OID =>
            {
                let value = other.value.decode_as::<Utf8StringRef<'_>>()?;
                ("username", value.as_str().to_owned())
            }
            unknown => ("other", hex(&unknown.to_der()?)),
        };
        Ok(Self { kind, value })
    }
}

impl Timestamp {
    fn of(timestamp: &SignedCertificateTimestamp) -> Self {
        Self {
            log_id: hex(&timestamp.log_id()),
            timestamp_ms: timestamp.timestamp(),
            time: rfc3339(timestamp.timestamp()),
            // A log may put anything into its extensions; then there is no index to show.
            leaf_index: timestamp.leaf_index().ok().flatten(),
        }
    }
}
