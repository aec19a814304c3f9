use std::time::SystemTime;

use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

use crate::{
    Error, Issuer, Validity,
    ca_certificate::CaCertificate,
    pem::{self, pem},
};

/// The certificates of an authority that could sign code-signing certificates when it was made:
/// the issuing one first, each followed by its issuer, the trust anchor last.
///
/// Whoever makes one has had every signature, date and usage checked, as Go's verifier would,
/// with room for one leaf below. The trust anchor's own signature is not checked, because nothing
/// vouches for an anchor; it need not be self-signed. [Name constraints](Self::name_constraints) are
/// kept, not applied.
#[derive(Clone, Debug)]
pub struct CaChain {
    certificates: Vec<CertificateDer<'static>>,
    issuer: Issuer,
    name_constraints: Vec<Vec<u8>>,
}

impl CaChain {
    /// Reads a PEM file: `CERTIFICATE` blocks, and any text around them.
    ///
    /// # Errors
    ///
    /// When a block is damaged or something else than a certificate, and as [`new`](Self::new).
    pub fn from_pem(pem: &[u8], now: SystemTime) -> Result<Self, Error> {
        Self::new(pem::certificates(pem)?, now)
    }

    /// Checks `certificates` at the time `now`.
    ///
    /// # Errors
    ///
    /// Each reason to refuse them is an error of its own that says which certificate and what to
    /// do.
    pub fn new(certificates: Vec<CertificateDer<'static>>, now: SystemTime) -> Result<Self, Error> {
        let (issuer, name_constraints) = Self::check(&certificates, now)?;
        Ok(Self {
            certificates,
            issuer,
            name_constraints,
        })
    }

    /// Puts certificates in order: that of `key` first, each followed by the one that has issued it.
    /// Those that do not belong to this chain are left out.
    ///
    /// # Errors
    ///
    /// There is no certificate of that key or more than one, or the chain is refused as by
    /// [`new`](Self::new).
    pub fn of_key(
        key: &SubjectPublicKeyInfoDer<'_>,
        mut certificates: Vec<CertificateDer<'static>>,
        now: SystemTime,
    ) -> Result<Self, Error> {
        if certificates.is_empty() {
            return Err(Error::EmptyChain);
        }
        let mut kept = Vec::with_capacity(certificates.len());
        certificates.retain(|certificate| {
            let new = !kept.contains(certificate);
            kept.push(certificate.clone());
            new
        });
        let order = order(key, &certificates)?;
        let chain = order.into_iter().map(|place| certificates[place].clone());
        Self::new(chain.collect(), now)
    }

    /// The certificates, the issuing one first, the root last.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The issuing certificate, prepared for issuing.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The DER `NameConstraints` (RFC 5280 section 4.2.1.10) of the certificates that have them,
    /// the issuing one's first: verifiers will apply them to every leaf.
    pub fn name_constraints(&self) -> impl Iterator<Item = &[u8]> {
        self.name_constraints.iter().map(Vec::as_slice)
    }

    /// All certificates as PEM, in order, each with a final newline.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificates.iter().map(pem).collect()
    }

    /// The trust anchor as PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.certificates.last().map(pem).unwrap_or_default()
    }

    /// Gives the issuer and the name constraints of a chain that is good at `now`.
    fn check(
        certificates: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<(Issuer, Vec<Vec<u8>>), Error> {
        let chain = certificates
            .iter()
            .enumerate()
            .map(|(place, der)| CaCertificate::parse(place + 1, der))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = chain.first() else {
            return Err(Error::EmptyChain);
        };
        for pair in chain.windows(2) {
            pair[0].must_be_issued_by(&pair[1])?;
        }
        for (below, certificate) in chain.iter().enumerate() {
            certificate.must_be_authority(below, now)?;
        }
        if chain.len() > 1 && !first.lists_code_signing() {
            return Err(Error::CodeSigningNotListed(first.link.clone()));
        }
        let validity = chain
            .iter()
            .map(|certificate| certificate.validity)
            .fold(first.validity, Validity::intersection);
        let issuer = Issuer::new(first, validity)?;
        let name_constraints = chain
            .into_iter()
            .filter_map(|certificate| certificate.name_constraints)
            .collect();
        Ok((issuer, name_constraints))
    }
}

/// The places of the chain of `key` among certificates that are all different.
fn order(
    key: &SubjectPublicKeyInfoDer<'_>,
    certificates: &[CertificateDer<'_>],
) -> Result<Vec<usize>, Error> {
    let all = certificates
        .iter()
        .enumerate()
        .map(|(place, der)| CaCertificate::parse(place + 1, der))
        .collect::<Result<Vec<_>, _>>()?;
    let places = |wanted: &dyn Fn(&CaCertificate<'_>) -> bool| {
        let found = all.iter().enumerate().filter(|(_, it)| wanted(it));
        found.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let first = match places(&|it| it.public_key == *key)[..] {
        [first] => first,
        [] => return Err(Error::NoCertificateOfKey),
        [one, other, ..] => {
            return Err(Error::SeveralCertificatesOfKey {
                one: all[one].link.clone(),
                other: all[other].link.clone(),
            });
        }
    };
    let mut order = vec![first];
    let mut last = &all[first];
    while last.issuer != last.subject {
        let issuers = places(&|it| last.must_be_issued_by(it).is_ok());
        // Where an issuer is cross-certified, its own certificate makes the shorter chain.
        let own = |place: &&usize| all[**place].issuer == all[**place].subject;
        let next = issuers.iter().find(own).or_else(|| issuers.first());
        let Some(next) = next.filter(|next| !order.contains(next)) else {
            break;
        };
        order.push(*next);
        last = &all[*next];
    }
    Ok(order)
}
