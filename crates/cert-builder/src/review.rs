use core::{fmt, time::Duration};

use const_oid::db::{rfc4519, rfc5280};
use der::{Decode, Reader as _, SliceReader, asn1::UintRef};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer, alg_id};
use x509_cert::{
    Certificate,
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
        NameConstraints as DecodedConstraints,
    },
    name::Name,
};

use crate::{
    Error, NameConstraints, Unsigned, Violation,
    ca_certificate::CaCertificate,
    distinguished_name,
    public_key::PublicKey,
    signature::{self, Verdict},
};

/// What Sigstore's certificate specification says of one CA certificate.
///
/// It is about the certificate alone and those above it; whether a whole chain holds now is for
/// [`CaChain`](crate::CaChain) to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Review {
    /// Which of its rules were applied.
    pub role: Role,
    /// Every MUST and MUST NOT that is broken.
    pub violations: Vec<Violation>,
    /// Every SHOULD and SHOULD NOT that is not followed.
    pub advice: Vec<Advice>,
}

/// What a CA certificate is in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the specification knows no other")]
pub enum Role {
    /// The last of a chain.
    Root,
    /// One that another authority has certified.
    Intermediate,
}

/// One SHOULD or SHOULD NOT of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The key is weaker than ECDSA on P-384 or RSA with 4096 bits.
    Key,
    /// It lives so short that it has to be replaced often.
    Lifetime {
        /// How long it lives.
        own: Duration,
        /// What the specification has as an example.
        usual: Duration,
    },
    /// An intermediate may have authorities below it.
    PathLength,
    /// It is of another kind of key than its parent.
    Scheme,
}

impl Review {
    /// Reads a certificate by the rules. `above` are the certificates over it, its issuer first and
    /// the root last; there are none for a root.
    ///
    /// # Errors
    ///
    /// One of them cannot be decoded.
    pub fn of(
        certificate: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
    ) -> Result<Self, Error> {
        Self::judge(certificate, above, true)
    }

    /// What can be said before anybody has certified a key.
    pub(crate) fn of_request(
        subject: &[u8],
        key: &SubjectPublicKeyInfoDer<'_>,
    ) -> Result<Self, Error> {
        let mut review = Self::new(Role::Intermediate);
        let name =
            Name::from_der(subject).map_err(|error| Error::CertificationRequest(error.into()))?;
        review.subject(&name);
        let key = PublicKey::parse(key).map_err(Error::PublicKey)?;
        review.advise(!is_strong(&key), || Advice::Key);
        Ok(review)
    }

    fn new(role: Role) -> Self {
        Self {
            role,
            violations: Vec::new(),
            advice: Vec::new(),
        }
    }

    fn judge(
        certificate: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        signed: bool,
    ) -> Result<Self, Error> {
        let own = Facts::read(1, certificate)?;
        let above = above
            .iter()
            .enumerate()
            .map(|(place, der)| Facts::read(place + 2, der))
            .collect::<Result<Vec<_>, _>>()?;
        let role = match above.is_empty() {
            true => Role::Root,
            false => Role::Intermediate,
        };
        let mut review = Self::new(role);
        review.subject(&own.subject);
        review.common(&own);
        match above.first() {
            None => review.root(&own, signed)?,
            Some(parent) => review.intermediate(&own, parent),
        }
        review.path_length(&own, &above);
        review.name_constraints(&own, &above);
        review.advice(&own, above.first())?;
        Ok(review)
    }

    fn subject(&mut self, name: &Name) {
        let value = |oid| {
            let mut attributes = name.iter().filter(|attribute| attribute.oid == oid);
            let text = attributes.find_map(|it| distinguished_name::text(&it.value));
            text.filter(|text| !text.trim().is_empty())
        };
        self.refuse(value(rfc4519::CN).is_none(), || Violation::CommonName);
        self.refuse(value(rfc4519::O).is_none(), || Violation::Organization);
        if let Some(country) = value(rfc4519::C) {
            let good = country.len() == 2 && country.bytes().all(|it| it.is_ascii_alphabetic());
            self.refuse(!good, || Violation::Country(country));
        }
        for (attribute, oid, limit) in LENGTHS {
            let length = value(oid).map_or(0, |text| text.chars().count());
            self.refuse(length > limit, || Violation::NameLength {
                attribute,
                length,
                limit,
            });
        }
    }

    /// What roots and intermediates have in common.
    fn common(&mut self, own: &Facts<'_>) {
        let serial = own.serial_number.as_slice();
        let digits = serial.iter().skip_while(|octet| **octet == 0).count();
        let negative = serial.first().is_some_and(|octet| *octet >= 0x80);
        // Less than 64 bits is no accident of a number of 160 random bits.
        self.refuse(negative || digits > 20 || digits <= 8, || {
            let number = serial.iter().map(|octet| format!("{octet:02x}"));
            Violation::SerialNumber(number.collect())
        });
        let usages = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
        self.refuse(own.key_usage != Some(KeyUsage(usages)), || {
            Violation::KeyUsage
        });
        self.refuse(!own.is_ca, || Violation::BasicConstraints);
        self.refuse(own.is_ca && !own.constraints_critical, || {
            Violation::BasicConstraintsNotCritical
        });
        let identifier = &own.raw.subject_key_identifier;
        self.refuse(identifier.is_none(), || Violation::SubjectKeyIdentifier);
        self.refuse(own.names_critical == Some(false), || {
            Violation::NameConstraintsNotCritical
        });
    }

    fn root(&mut self, own: &Facts<'_>, signed: bool) -> Result<(), Error> {
        if own.raw.issuer != own.raw.subject {
            self.violations.push(Violation::Issuer(own.issuer.clone()));
        } else if signed {
            let raw = &own.raw;
            let (algorithm, message) = (raw.signature_algorithm, raw.to_be_signed);
            let verdict = signature::judge(&raw.public_key, algorithm, message, raw.signature)
                .map_err(|source| raw.malformed(source))?;
            self.refuse(!matches!(verdict, Verdict::Good), || {
                Violation::SelfSignature
            });
        }
        self.refuse(!own.extended_key_usage.is_empty(), || {
            Violation::ExtendedKeyUsageOfRoot(own.extended_key_usage.clone())
        });
        let identifier = &own.authority_key_identifier;
        self.refuse(
            identifier.is_some() && *identifier != own.raw.subject_key_identifier,
            || Violation::AuthorityKeyIdentifier,
        );
        Ok(())
    }

    fn intermediate(&mut self, own: &Facts<'_>, parent: &Facts<'_>) {
        let code_signing = [rfc5280::ID_KP_CODE_SIGNING.to_string()];
        self.refuse(own.extended_key_usage != code_signing, || {
            Violation::ExtendedKeyUsage(own.extended_key_usage.clone())
        });
        let identifier = &own.authority_key_identifier;
        self.refuse(
            identifier.is_none() || *identifier != parent.raw.subject_key_identifier,
            || Violation::AuthorityKeyIdentifier,
        );
        let [own, parent] = [own, parent].map(|facts| facts.raw.validity.not_after);
        self.refuse(own > parent, || Violation::OutlivesParent { own, parent });
    }

    fn path_length(&mut self, own: &Facts<'_>, above: &[Facts<'_>]) {
        for (between, authority) in above.iter().enumerate() {
            let below = between + 1 + usize::from(own.path_length.unwrap_or(0));
            if let Some(allowed) = authority.path_length
                && below > usize::from(allowed)
            {
                self.violations.push(Violation::PathLength {
                    above: authority.raw.link.subject.clone(),
                    allowed,
                    below,
                });
            }
        }
    }

    fn name_constraints(&mut self, own: &Facts<'_>, above: &[Facts<'_>]) {
        for constraint in &own.names.permitted {
            for authority in above {
                let mut permitted = authority.names.permitted.iter();
                let mut same_form = permitted
                    .by_ref()
                    .filter(|it| it.form() == constraint.form())
                    .peekable();
                let limited = same_form.peek().is_some();
                self.refuse(
                    limited && !same_form.any(|it| it.covers(constraint)),
                    || Violation::PermitsMore {
                        constraint: constraint.clone(),
                        above: authority.raw.link.subject.clone(),
                    },
                );
            }
            for authority in [own].into_iter().chain(above) {
                let mut excluded = authority.names.excluded.iter();
                self.refuse(excluded.any(|it| it.covers(constraint)), || {
                    Violation::PermitsTheExcluded {
                        constraint: constraint.clone(),
                        by: authority.raw.link.subject.clone(),
                    }
                });
            }
        }
    }

    fn advice(&mut self, own: &Facts<'_>, parent: Option<&Facts<'_>>) -> Result<(), Error> {
        let key = own.public_key()?;
        self.advise(!is_strong(&key), || Advice::Key);
        let usual = match self.role {
            Role::Root => 10 * YEAR,
            Role::Intermediate => 3 * YEAR,
        };
        let validity = own.raw.validity;
        let lifetime = validity.not_after.duration_since(validity.not_before);
        let lifetime = lifetime.unwrap_or_default();
        self.advise(lifetime < usual / 2, || Advice::Lifetime {
            own: lifetime,
            usual,
        });
        if let Some(parent) = parent {
            self.advise(own.path_length != Some(0), || Advice::PathLength);
            let same = is_same_scheme(key.algorithm(), parent.public_key()?.algorithm());
            self.advise(!same, || Advice::Scheme);
        }
        Ok(())
    }

    fn refuse(&mut self, broken: bool, violation: impl FnOnce() -> Violation) {
        if broken {
            self.violations.push(violation());
        }
    }

    fn advise(&mut self, not_followed: bool, advice: impl FnOnce() -> Advice) {
        if not_followed {
            self.advice.push(advice());
        }
    }
}

impl Unsigned {
    /// What the specification says of the CA certificate that this becomes when it is signed;
    /// `above` as for [`Review::of`].
    ///
    /// # Errors
    ///
    /// One of those above cannot be decoded.
    pub fn review(&self, above: &[CertificateDer<'_>]) -> Result<Review, Error> {
        Review::judge(&self.clone().signed(&[]), above, false)
    }
}

/// What the rules are about.
struct Facts<'a> {
    raw: CaCertificate<'a>,
    authority_key_identifier: Option<Vec<u8>>,
    constraints_critical: bool,
    /// Dotted.
    extended_key_usage: Vec<String>,
    is_ca: bool,
    issuer: String,
    key_usage: Option<KeyUsage>,
    names: NameConstraints,
    /// Nothing where there are no name constraints.
    names_critical: Option<bool>,
    path_length: Option<u8>,
    serial_number: Vec<u8>,
    subject: Name,
}

impl<'a> Facts<'a> {
    fn read(number: usize, der: &'a CertificateDer<'_>) -> Result<Self, Error> {
        let raw = CaCertificate::parse(number, der)?;
        let link = raw.link.clone();
        Self::decode(raw, der).map_err(|source| Error::Malformed {
            link,
            source: source.into(),
        })
    }

    fn decode(raw: CaCertificate<'a>, der: &[u8]) -> Result<Self, der::Error> {
        let certificate = Certificate::from_der(der)?;
        let tbs = certificate.tbs_certificate();
        let constraints = tbs.get_extension::<BasicConstraints>()?;
        let names = tbs.get_extension::<DecodedConstraints>()?;
        let usages = tbs.get_extension::<ExtendedKeyUsage>()?;
        let usages = usages.map_or_else(Vec::new, |(_, usages)| usages.0);
        let authority = tbs.get_extension::<AuthorityKeyIdentifier>()?;
        Ok(Self {
            authority_key_identifier: authority
                .and_then(|(_, authority)| authority.key_identifier)
                .map(|identifier| identifier.into_bytes().into_vec()),
            constraints_critical: constraints.as_ref().is_some_and(|(critical, _)| *critical),
            extended_key_usage: usages.iter().map(ToString::to_string).collect(),
            is_ca: constraints.as_ref().is_some_and(|(_, it)| it.ca),
            issuer: tbs.issuer().to_string(),
            key_usage: tbs.get_extension::<KeyUsage>()?.map(|(_, usage)| usage),
            names_critical: names.as_ref().map(|(critical, _)| *critical),
            names: names.map_or_else(NameConstraints::default, |(_, it)| NameConstraints::of(it)),
            path_length: constraints.and_then(|(_, it)| it.path_len_constraint),
            serial_number: tbs.serial_number().as_bytes().to_vec(),
            subject: tbs.subject().clone(),
            raw,
        })
    }

    fn public_key(&self) -> Result<PublicKey<'_>, Error> {
        PublicKey::parse(&self.raw.public_key).map_err(|source| self.raw.malformed(source))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Intermediate => "intermediate",
        })
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key should be ECDSA on P-384 or stronger, or RSA-4096"),
            Self::Lifetime { own, usual } => write!(
                f,
                "the lifetime should not require frequent rotation, as {} years would not, and it \
                 is {} days",
                usual.as_secs() / YEAR.as_secs(),
                own.as_secs() / DAY.as_secs()
            ),
            Self::PathLength => f.write_str("an intermediate should have the path length 0"),
            Self::Scheme => f.write_str(
                "the key should be of the same kind as the parent's, because some clients support \
                 nothing else",
            ),
        }
    }
}

/// Whether it is ECDSA on P-384 or P-521, or RSA with 4096 bits or more.
fn is_strong(key: &PublicKey<'_>) -> bool {
    let algorithm = key.algorithm();
    if algorithm == alg_id::RSA_ENCRYPTION.as_ref() {
        return modulus_len(key.bytes()).is_ok_and(|octets| octets >= 512);
    }
    algorithm == alg_id::ECDSA_P384.as_ref() || algorithm == alg_id::ECDSA_P521.as_ref()
}

/// How many octets the modulus of an `RSAPublicKey` (RFC 8017 appendix A.1.1) has.
fn modulus_len(key: &[u8]) -> Result<usize, der::Error> {
    SliceReader::new(key)?.sequence(|key| {
        let modulus = UintRef::decode(key)?.as_bytes().len();
        UintRef::decode(key)?;
        Ok(modulus)
    })
}

/// Both RSA, both Ed25519, or both ECDSA on whatever curve.
fn is_same_scheme(one: &[u8], other: &[u8]) -> bool {
    let is_ecdsa = |algorithm: &[u8]| algorithm.starts_with(&EC_PUBLIC_KEY);
    one == other || (is_ecdsa(one) && is_ecdsa(other))
}

/// The DER OID id-ecPublicKey, 1.2.840.10045.2.1.
const EC_PUBLIC_KEY: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// The upper bounds of RFC 5280 appendix A.1.
const LENGTHS: [(&str, const_oid::ObjectIdentifier, usize); 5] = [
    ("common name", rfc4519::CN, 64),
    ("locality", rfc4519::L, 128),
    ("organization", rfc4519::O, 64),
    ("organizational unit", rfc4519::OU, 64),
    ("province", rfc4519::ST, 128),
];
