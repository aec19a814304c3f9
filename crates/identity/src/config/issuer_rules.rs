//! The rules that every issuer of a file has to keep.

use std::collections::BTreeMap;

use pki_types::{CertificateDer, pem::PemObject};
use x509_cert::der::Decode;

use super::{
    CiMetadata, Concern, IssuerAddress, IssuerConfig, IssuerKind, Problem,
    domain::{Origin, same_end, same_owner},
    keys::{self, Key},
};
use crate::{ClaimPath, IssuerPattern, spiffe_id::trust_domain};

/// One issuer as it is written.
pub(super) struct Settings<'a> {
    /// Its key in the section: a URL, a name, or the pattern of a meta issuer.
    pub(super) name: &'a str,
    pub(super) is_meta: bool,
    pub(super) ci_metadata: &'a BTreeMap<String, CiMetadata>,
    /// The text of a setting; empty if it is not there.
    pub(super) read: &'a dyn Fn(Key) -> String,
    /// What a switch is set to, off if it is not there; its text if that is neither on nor off.
    pub(super) switch: &'a dyn Fn(Key) -> Result<bool, String>,
}

/// A rule that an issuer does not keep.
pub(super) enum Broken {
    /// A key must be there, and is not.
    Missing { key: Key, reason: &'static str },
    /// What is behind a key cannot be used.
    Wrong { key: Key, problem: Problem },
}

impl Broken {
    fn at(key: Key, problem: Problem) -> Self {
        Self::Wrong { key, problem }
    }

    fn missing(key: Key, reason: &'static str) -> Self {
        Self::Missing { key, reason }
    }
}

/// The issuer, if it keeps the rules that concern it alone.
pub(super) fn check(settings: &Settings<'_>) -> Result<IssuerConfig, Broken> {
    let read = settings.read;
    let client_id = read(keys::CLIENT_ID);
    if client_id.is_empty() {
        let reason = "tells for whom tokens are meant; without it none is accepted";
        return Err(Broken::missing(keys::CLIENT_ID, reason));
    }
    let kind = IssuerKind::from_name(&read(keys::TYPE));
    let address = address(settings)?;
    let mut issuer = IssuerConfig::new(address, client_id, kind);
    issuer.ca_certificates = certificates(&read(keys::CA_CERT))?;
    issuer.contact = read(keys::CONTACT);
    issuer.description = read(keys::DESCRIPTION);
    issuer.environment = read(keys::ENVIRONMENT);
    issuer.skip_email_verification = switch(settings, keys::SKIP_EMAIL_VERIFICATION)?;
    issuer.spiffe_trust_domain = read(keys::SPIFFE_TRUST_DOMAIN);
    issuer.subject_domain = read(keys::SUBJECT_DOMAIN);

    issuer_claim(settings, &mut issuer)?;
    ci_provider(settings, &mut issuer)?;
    match (&issuer.address, &issuer.kind) {
        (IssuerAddress::Pattern(_), IssuerKind::Spiffe) => {
            return Err(Broken::at(keys::TYPE, Problem::SpiffeMetaIssuer));
        }
        (IssuerAddress::Url(_), IssuerKind::Spiffe) => spiffe(&issuer)?,
        (IssuerAddress::Url(url), IssuerKind::Uri) => uri(&issuer, url)?,
        (IssuerAddress::Url(url), IssuerKind::Username) => username(&issuer, url)?,
        _ => {}
    }
    challenge_claim(settings, &mut issuer)?;
    Ok(issuer)
}

/// What keeps two issuers of one section apart.
pub(crate) fn conflict(
    one: &IssuerConfig,
    other: &IssuerConfig,
    other_name: &str,
) -> Option<Problem> {
    match (&one.address, &other.address) {
        (IssuerAddress::Url(a), IssuerAddress::Url(b)) => {
            (a == b && one.client_id == other.client_id).then(|| Problem::DuplicateIssuer {
                other: other_name.to_owned(),
            })
        }
        (IssuerAddress::Pattern(a), IssuerAddress::Pattern(b)) => {
            (a.specificity() == b.specificity() && a.overlaps(b)).then(|| Problem::Tie {
                other: other_name.to_owned(),
            })
        }
        (IssuerAddress::Url(_), IssuerAddress::Pattern(_))
        | (IssuerAddress::Pattern(_), IssuerAddress::Url(_)) => None,
    }
}

/// What an operator should know about an issuer, and the key to point at.
pub(super) fn concerns(issuer: &IssuerConfig) -> Vec<(Option<Key>, Concern)> {
    let mut concerns = Vec::new();
    if let Some(implied) = issuer.kind.challenge_claim()
        && implied != issuer.challenge_claim
    {
        concerns.push((Some(keys::CHALLENGE_CLAIM), Concern::ChallengeClaim));
    }
    if let Some(origin) = Origin::of(issuer.address.as_str())
        && origin.scheme == "http"
        && !origin.is_loopback()
    {
        concerns.push((None, Concern::PlainHttp));
    }
    concerns
}

/// The key of an issuer may be a name, so that one provider can stand there twice with different
/// audiences; but a key that is a URL is the issuer's.
fn address(settings: &Settings<'_>) -> Result<IssuerAddress, Broken> {
    if settings.is_meta {
        return Ok(IssuerAddress::Pattern(IssuerPattern::new(settings.name)));
    }
    let url = (settings.read)(keys::ISSUER_URL);
    if url.is_empty() {
        let reason = "is what the iss of its tokens is compared with";
        return Err(Broken::missing(keys::ISSUER_URL, reason));
    }
    if settings.name.contains("://") && settings.name != url {
        return Err(Broken::at(keys::ISSUER_URL, Problem::UrlMismatch { url }));
    }
    Ok(IssuerAddress::Url(url))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Broken> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let broken = || Broken::at(keys::CA_CERT, Problem::CaCertificate);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_not_pem| broken())?;
    let readable = |certificate: &CertificateDer<'_>| {
        x509_cert::Certificate::from_der(certificate.as_ref()).is_ok()
    };
    if certificates.is_empty() || !certificates.iter().all(readable) {
        return Err(broken());
    }
    Ok(certificates)
}

fn switch(settings: &Settings<'_>, key: Key) -> Result<bool, Broken> {
    (settings.switch)(key).map_err(|value| Broken::at(key, Problem::NotBoolean { value }))
}

fn issuer_claim(settings: &Settings<'_>, issuer: &mut IssuerConfig) -> Result<(), Broken> {
    let path = (settings.read)(keys::ISSUER_CLAIM);
    if path.is_empty() {
        return Ok(());
    }
    if issuer.kind == IssuerKind::Email {
        let path = ClaimPath::parse(&path)
            .map_err(|cause| Broken::at(keys::ISSUER_CLAIM, Problem::ClaimPath(cause)))?;
        issuer.issuer_claim = Some(path);
    } else if !settings.is_meta {
        let kind = issuer.kind.to_string();
        return Err(Broken::at(
            keys::ISSUER_CLAIM,
            Problem::IssuerClaim { kind },
        ));
    }
    Ok(())
}

fn ci_provider(settings: &Settings<'_>, issuer: &mut IssuerConfig) -> Result<(), Broken> {
    let name = (settings.read)(keys::CI_PROVIDER);
    if issuer.kind == IssuerKind::CiProvider {
        if name.is_empty() {
            let reason = "names its entry in ci-issuer-metadata";
            return Err(Broken::missing(keys::CI_PROVIDER, reason));
        }
        if !settings.ci_metadata.contains_key(&name) {
            let nearest = keys::nearest(settings.ci_metadata.keys(), &name).cloned();
            let problem = Problem::CiProvider { name, nearest };
            return Err(Broken::at(keys::CI_PROVIDER, problem));
        }
    }
    issuer.ci_provider = (!name.is_empty()).then_some(name);
    Ok(())
}

fn spiffe(issuer: &IssuerConfig) -> Result<(), Broken> {
    let domain = issuer.spiffe_trust_domain.clone();
    if domain.is_empty() {
        let reason = "issuers of type spiffe must have, such as example.com";
        return Err(Broken::missing(keys::SPIFFE_TRUST_DOMAIN, reason));
    }
    if trust_domain(&domain).is_none() {
        let problem = Problem::TrustDomain { domain };
        return Err(Broken::at(keys::SPIFFE_TRUST_DOMAIN, problem));
    }
    Ok(())
}

fn uri(issuer: &IssuerConfig, url: &str) -> Result<(), Broken> {
    let domain = issuer.subject_domain.clone();
    if domain.is_empty() {
        let reason = "issuers of type uri must have, such as https://example.com";
        return Err(Broken::missing(keys::SUBJECT_DOMAIN, reason));
    }
    let Some(subject) = Origin::of(&domain) else {
        let problem = Problem::SchemeAbsent { domain };
        return Err(Broken::at(keys::SUBJECT_DOMAIN, problem));
    };
    let origin = origin(url)?;
    if subject.scheme != origin.scheme {
        let problem = Problem::SchemeMismatch {
            subject: subject.scheme,
            issuer: origin.scheme,
        };
        return Err(Broken::at(keys::SUBJECT_DOMAIN, problem));
    }
    one_owner(subject.host, origin.host)
}

fn username(issuer: &IssuerConfig, url: &str) -> Result<(), Broken> {
    let domain = issuer.subject_domain.clone();
    if domain.is_empty() {
        let reason = "issuers of type username must have, such as example.com";
        return Err(Broken::missing(keys::SUBJECT_DOMAIN, reason));
    }
    let is_go_url = fulcio_go_url::Url::parse(&domain).is_ok();
    if domain.contains([':', '/', '?', '#', '@']) || !is_go_url {
        let problem = Problem::SchemePresent { domain };
        return Err(Broken::at(keys::SUBJECT_DOMAIN, problem));
    }
    one_owner(domain, origin(url)?.host)
}

fn origin(url: &str) -> Result<Origin, Broken> {
    Origin::of(url).ok_or_else(|| {
        let url = url.to_owned();
        Broken::at(keys::ISSUER_URL, Problem::IssuerUrl { url })
    })
}

fn one_owner(subject: String, issuer: String) -> Result<(), Broken> {
    let bare = |host: &str| host.strip_suffix('.').unwrap_or(host).to_owned();
    let problem = if !same_owner(&bare(&subject), &bare(&issuer)) {
        Problem::Domain { subject, issuer }
    } else if !same_end(&subject, &issuer) {
        Problem::DomainSpelling { subject, issuer }
    } else {
        return Ok(());
    };
    Err(Broken::at(keys::SUBJECT_DOMAIN, problem))
}

fn challenge_claim(settings: &Settings<'_>, issuer: &mut IssuerConfig) -> Result<(), Broken> {
    let configured = (settings.read)(keys::CHALLENGE_CLAIM);
    if !configured.is_empty() {
        issuer.challenge_claim = configured;
        return Ok(());
    }
    match &issuer.kind {
        IssuerKind::Other(kind) if kind.is_empty() => {
            let reason = "tells how tokens name their callers, such as email";
            Err(Broken::missing(keys::TYPE, reason))
        }
        IssuerKind::Other(kind) => {
            let known = IssuerKind::KNOWN.iter().map(IssuerKind::name);
            let problem = Problem::ChallengeClaim {
                kind: kind.clone(),
                nearest: keys::nearest(known, kind).map(str::to_owned),
            };
            Err(Broken::at(keys::TYPE, problem))
        }
        _ => Ok(()),
    }
}
