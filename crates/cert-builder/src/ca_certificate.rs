use std::time::SystemTime;

use const_oid::{AssociatedOid, ObjectIdentifier, db::rfc5280};
use der::Decode;
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_cert::{
    Certificate,
    certificate::Version,
    ext::{
        Extension,
        pkix::{
            BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectKeyIdentifier,
            constraints::name::GeneralSubtree, name::GeneralName,
        },
    },
};

use crate::{DecodeError, Error, Link, Validity, raw_certificate::RawCertificate, signature};

/// One decoded certificate of a chain, with its original bytes where they matter.
#[derive(Debug)]
pub(crate) struct CaCertificate<'a> {
    pub(crate) link: Link,
    pub(crate) to_be_signed: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) public_key: SubjectPublicKeyInfoDer<'a>,
    /// The content of the `AlgorithmIdentifier` of the signature.
    pub(crate) signature_algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
    pub(crate) validity: Validity,
    pub(crate) subject_key_identifier: Option<Vec<u8>>,
    /// DER `NameConstraints`.
    pub(crate) name_constraints: Option<Vec<u8>>,
    basic_constraints: Option<BasicConstraints>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Vec<ObjectIdentifier>,
    /// A critical extension that is not among [`OBEYED`].
    unknown: Option<ObjectIdentifier>,
    duplicate: Option<ObjectIdentifier>,
}

/// The critical extensions that are understood here, or by whoever verifies leaves: those about
/// policies and revocation have no bearing on what may be issued.
const OBEYED: [ObjectIdentifier; 10] = [
    rfc5280::ID_CE_KEY_USAGE,
    rfc5280::ID_CE_SUBJECT_ALT_NAME,
    rfc5280::ID_CE_BASIC_CONSTRAINTS,
    rfc5280::ID_CE_NAME_CONSTRAINTS,
    rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS,
    rfc5280::ID_CE_CERTIFICATE_POLICIES,
    rfc5280::ID_CE_POLICY_MAPPINGS,
    rfc5280::ID_CE_POLICY_CONSTRAINTS,
    rfc5280::ID_CE_EXT_KEY_USAGE,
    rfc5280::ID_CE_INHIBIT_ANY_POLICY,
];

impl<'a> CaCertificate<'a> {
    /// Decodes the certificate at the place `number` of a chain, counted from 1.
    pub(crate) fn parse(number: usize, der: &'a CertificateDer<'_>) -> Result<Self, Error> {
        let certificate = Certificate::from_der(der).map_err(|error| Error::Malformed {
            link: Link {
                number,
                subject: String::new(),
            },
            source: error.into(),
        })?;
        let link = Link {
            number,
            subject: certificate.tbs_certificate().subject().to_string(),
        };
        Self::decode(link.clone(), der, &certificate)
            .map_err(|source| Error::Malformed { link, source })
    }

    fn decode(link: Link, der: &'a [u8], certificate: &Certificate) -> Result<Self, DecodeError> {
        let raw = RawCertificate::slice(der)?;
        let tbs = certificate.tbs_certificate();
        let extensions = tbs.extensions().map_or(&[][..], Vec::as_slice);
        if !extensions.is_empty() && tbs.version() != Version::V3 {
            return Err(DecodeError::rule(
                "extensions in a certificate before version 3",
            ));
        }
        Ok(Self {
            link,
            to_be_signed: raw.to_be_signed,
            issuer: raw.issuer,
            subject: raw.subject,
            public_key: SubjectPublicKeyInfoDer::from(raw.public_key),
            signature_algorithm: raw.signature_algorithm,
            signature: raw.signature,
            validity: Validity {
                not_before: tbs.validity().not_before.to_system_time(),
                not_after: tbs.validity().not_after.to_system_time(),
            },
            subject_key_identifier: find::<SubjectKeyIdentifier>(extensions)?
                .map(|identifier| identifier.0.into_bytes().into_vec()),
            name_constraints: extensions
                .iter()
                .find(|extension| extension.extn_id == NameConstraints::OID)
                .map(|extension| extension.extn_value.as_bytes().to_vec()),
            basic_constraints: find(extensions)?,
            key_usage: find(extensions)?,
            extended_key_usage: find::<ExtendedKeyUsage>(extensions)?
                .map(|usages| usages.0)
                .unwrap_or_default(),
            unknown: unknown_critical(extensions)?,
            duplicate: duplicate(extensions),
        })
    }

    /// Refuses a certificate that may not have another one, or a leaf, below it at `now`.
    pub(crate) fn must_be_authority(&self, below: usize, now: SystemTime) -> Result<(), Error> {
        let link = || self.link.clone();
        if let Some(oid) = self.duplicate {
            return Err(Error::DuplicateExtension {
                link: link(),
                oid: oid.to_string(),
            });
        }
        if let Some(oid) = self.unknown {
            return Err(Error::UnknownCriticalExtension {
                link: link(),
                oid: oid.to_string(),
            });
        }
        if now < self.validity.not_before {
            return Err(Error::NotYetValid {
                link: link(),
                not_before: self.validity.not_before,
            });
        }
        if now > self.validity.not_after {
            return Err(Error::Expired {
                link: link(),
                not_after: self.validity.not_after,
            });
        }
        let Some(constraints) = self.basic_constraints.as_ref().filter(|basic| basic.ca) else {
            return Err(Error::NotCa(link()));
        };
        if let Some(allowed) = constraints.path_len_constraint
            && below > usize::from(allowed)
        {
            return Err(Error::PathLength {
                link: link(),
                allowed,
                below,
            });
        }
        if self.key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
            return Err(Error::KeyUsage(link()));
        }
        if !self.permits_code_signing() {
            return Err(Error::CodeSigningNotPermitted(link()));
        }
        Ok(())
    }

    /// Refuses a certificate that `next` did not issue.
    pub(crate) fn must_be_issued_by(&self, next: &CaCertificate<'_>) -> Result<(), Error> {
        if self.issuer != next.subject {
            return Err(Error::NotIssuedByNext {
                link: self.link.clone(),
                next: next.link.clone(),
            });
        }
        signature::verify(self, next)
    }

    /// Whether code signing itself, and not just any usage, is among its extended key usages.
    pub(crate) fn lists_code_signing(&self) -> bool {
        self.extended_key_usage
            .contains(&rfc5280::ID_KP_CODE_SIGNING)
    }

    pub(crate) fn malformed(&self, source: DecodeError) -> Error {
        Error::Malformed {
            link: self.link.clone(),
            source,
        }
    }

    fn permits_code_signing(&self) -> bool {
        self.extended_key_usage.is_empty()
            || self.lists_code_signing()
            || self
                .extended_key_usage
                .contains(&rfc5280::ANY_EXTENDED_KEY_USAGE)
    }
}

fn find<T>(extensions: &[Extension]) -> Result<Option<T>, DecodeError>
where
    T: AssociatedOid + for<'d> Decode<'d, Error = der::Error>,
{
    extensions
        .iter()
        .find(|extension| extension.extn_id == T::OID)
        .map(|extension| T::from_der(extension.extn_value.as_bytes()))
        .transpose()
        .map_err(DecodeError::from)
}

fn duplicate(extensions: &[Extension]) -> Option<ObjectIdentifier> {
    extensions
        .iter()
        .enumerate()
        .find_map(|(place, extension)| {
            extensions[..place]
                .iter()
                .any(|earlier| earlier.extn_id == extension.extn_id)
                .then_some(extension.extn_id)
        })
}

/// The first critical extension that nobody here or behind us obeys, name constraints about other
/// forms of name among them.
fn unknown_critical(extensions: &[Extension]) -> Result<Option<ObjectIdentifier>, DecodeError> {
    let unknown = extensions
        .iter()
        .find(|extension| extension.critical && !OBEYED.contains(&extension.extn_id));
    if let Some(extension) = unknown {
        return Ok(Some(extension.extn_id));
    }
    let critical = extensions
        .iter()
        .any(|extension| extension.critical && extension.extn_id == NameConstraints::OID);
    let constraints = find::<NameConstraints>(extensions)?;
    let foreign = constraints.is_some_and(|constraints| {
        [
            constraints.permitted_subtrees,
            constraints.excluded_subtrees,
        ]
        .into_iter()
        .flatten()
        .flatten()
        .any(|subtree| !is_usual(&subtree))
    });
    Ok((critical && foreign).then_some(NameConstraints::OID))
}

/// Whether Go's verifier, which most clients use, knows how to constrain this form of name.
fn is_usual(subtree: &GeneralSubtree) -> bool {
    matches!(
        subtree.base,
        GeneralName::Rfc822Name(_)
            | GeneralName::DnsName(_)
            | GeneralName::UniformResourceIdentifier(_)
            | GeneralName::IpAddress(_)
    )
}
