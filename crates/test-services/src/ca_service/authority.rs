use core::fmt;
use std::time::{Duration, SystemTime};

use pki_types::CertificateDer;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
    SanType, SerialNumber,
};
use serde_json::{Value, json};
use x509_cert::der::pem::{LineEnding, encode_string};

use super::{Fault, wanted::Wanted};

/// The state of an authority, as Google has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It waits for its certificate.
    AwaitingUserActivation,
    /// It is deleted, and can still be brought back.
    Deleted,
    /// It does not issue.
    Disabled,
    /// It issues.
    Enabled,
    /// It issues to whoever names it.
    Staged,
}

/// One authority of a pool.
pub(super) struct Authority {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) id: String,
    issuer: Issuer<'static, KeyPair>,
    pub(super) state: State,
}

impl Authority {
    pub(super) fn root(id: &str, now: SystemTime) -> Self {
        let params = params(id, now);
        let key = key();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            chain: vec![certificate.into()],
            id: id.to_owned(),
            issuer: Issuer::new(params, key),
            state: State::Enabled,
        }
    }

    pub(super) fn below_a_root(id: &str, now: SystemTime) -> Self {
        let root = Self::root(&format!("The root of {id}"), now);
        let mut params = params(id, now);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params.signed_by(&key, &root.issuer).unwrap();
        Self {
            chain: [vec![certificate.into()], root.chain].concat(),
            id: id.to_owned(),
            issuer: Issuer::new(params, key),
            state: State::Enabled,
        }
    }

    /// As Google describes it.
    pub(super) fn description(&self, pool: &str, numbers: bool) -> Value {
        let (name, number) = self.state.in_the_interface();
        let mut description = json!({
            "name": format!("{pool}/certificateAuthorities/{}", self.id),
            "type": if numbers { json!(1) } else { json!("SELF_SIGNED") },
            "tier": if numbers { json!(2) } else { json!("DEVOPS") },
            "state": if numbers { json!(number) } else { json!(name) },
        });
        if self.state != State::AwaitingUserActivation {
            description["pemCaCertificates"] = json!(pems(&self.chain));
        }
        description
    }

    /// A certificate in PEM, and the chain above it.
    pub(super) fn issue(
        &self,
        wanted: &Wanted,
        now: SystemTime,
        fault: Option<Fault>,
    ) -> (String, Vec<String>) {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(serial());
        params.not_before = now.into();
        params.not_after = (now + wanted.lifetime).into();
        params.subject_alt_names = wanted.names.clone();
        params.key_usages = wanted.usages.clone();
        params.extended_key_usages = wanted.extended_usages.clone();
        params.custom_extensions = wanted.extensions.clone();
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        if let Some(fault) = fault {
            spoil(&mut params, fault, now, wanted);
        }
        let stranger;
        let (issuer, chain) = match fault {
            Some(Fault::OtherPool | Fault::OtherSignature) => {
                stranger = Self::below_a_root(&self.id, now);
                let chain = match fault {
                    Some(Fault::OtherPool) => &stranger.chain,
                    _ => &self.chain,
                };
                (&stranger.issuer, chain)
            }
            _ => (&self.issuer, &self.chain),
        };
        let certificate: Certificate = match fault {
            Some(Fault::OtherKey) => params.signed_by(&key(), issuer).unwrap(),
            _ => params.signed_by(&wanted.key, issuer).unwrap(),
        };
        let chain = match fault {
            Some(Fault::NoChain) => Vec::new(),
            _ => pems(chain),
        };
        (pem(certificate.der()), chain)
    }
}

fn spoil(params: &mut CertificateParams, fault: Fault, now: SystemTime, wanted: &Wanted) {
    let extension = |oid: &[u64], value: &[u8], critical: bool| {
        let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
        extension.set_criticality(critical);
        extension
    };
    match fault {
        Fault::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
        Fault::Backdated(seconds) => {
            let begin = now - Duration::from_secs(seconds);
            params.not_before = begin.into();
            params.not_after = (begin + wanted.lifetime).into();
        }
        Fault::ChangedExtension => {
            let oid: Vec<u64> = params.custom_extensions[0].oid_components().collect();
            params.custom_extensions[0] = extension(&oid, b"something else", false);
        }
        Fault::CriticalExtension => params.custom_extensions[0].set_criticality(true),
        Fault::Ended => {
            params.not_before = (now - Duration::from_secs(5)).into();
            params.not_after = (now - Duration::from_secs(4)).into();
        }
        Fault::ExtraCritical => {
            let extra = extension(&[1, 2, 3, 4], b"\x05\x00", true);
            params.custom_extensions.push(extra);
        }
        Fault::ExtraFulcio => {
            let extra = extension(&[1, 3, 6, 1, 4, 1, 57264, 1, 21], b"\x0c\x01x", false);
            params.custom_extensions.push(extra);
        }
        Fault::Longer => {
            let lifetime = wanted.lifetime + Duration::from_secs(3600);
            params.not_after = (now + lifetime).into();
        }
        Fault::MissingExtension => {
            params.custom_extensions.remove(0);
        }
        Fault::OtherName => {
            let name = "mallory@example.com".try_into().unwrap();
            params.subject_alt_names = vec![SanType::Rfc822Name(name)];
        }
        Fault::OtherUsage => {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        }
        Fault::Subject => params
            .distinguished_name
            .push(DnType::CommonName, "Mallory"),
        Fault::NoChain | Fault::OtherKey | Fault::OtherPool | Fault::OtherSignature => {}
    }
}

impl State {
    fn in_the_interface(self) -> (&'static str, u8) {
        match self {
            Self::Enabled => ("ENABLED", 1),
            Self::Disabled => ("DISABLED", 2),
            Self::Staged => ("STAGED", 3),
            Self::AwaitingUserActivation => ("AWAITING_USER_ACTIVATION", 4),
            Self::Deleted => ("DELETED", 5),
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// An authority of a year.
fn params(name: &str, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (now - Duration::from_secs(3600)).into();
    params.not_after = (now + Duration::from_secs(365 * 86_400)).into();
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()
}

fn serial() -> SerialNumber {
    let mut octets = [0; 19];
    aws_lc_rs::rand::fill(&mut octets).unwrap();
    // Positive, and as short as DER wants it.
    octets[0] = octets[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&octets)
}

fn pems(chain: &[CertificateDer<'_>]) -> Vec<String> {
    chain.iter().map(pem).collect()
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    encode_string("CERTIFICATE", LineEnding::LF, certificate).unwrap()
}
