use std::sync::LazyLock;

use der::{Decode as _, Encode as _};
use fulcio_cert_builder::{CaChain, CaTemplate, Error, Review, SerialNumber};
use fulcio_client::{Description, Expected, LogProof, TreeHead, Trust};
use fulcio_ct_client::LogKey;
use pki_types::CertificateDer;
use x509_cert::Certificate;

use crate::fixed::{now, p256_signature, p256_spki};

/// An authority of one certificate, with the fixed key.
pub(crate) static AUTHORITY: LazyLock<CaChain> = LazyLock::new(|| {
    let serial = SerialNumber::from_random([1; 20]);
    let root = CaTemplate::ephemeral().unsigned(p256_spki(), serial, now(), None);
    let root = root.expect("a root");
    let signature = p256_signature(root.to_be_signed());
    CaChain::new(vec![root.signed(&signature)], now()).expect("a chain")
});

static KEY: LazyLock<LogKey> =
    LazyLock::new(|| LogKey::from_spki(p256_spki()).expect("a log's key"));

/// A certificate in DER, as clients get it from wherever: what is described is what another parser
/// reads, and nothing is trusted that nobody trusted has signed.
pub fn certificate(data: &[u8]) {
    let trust = Trust::new(vec![AUTHORITY.certificates().to_vec()], vec![KEY.clone()]);
    let der = CertificateDer::from_slice(data);
    assert!(trust.verify(&der, &Expected::default()).is_err());
    let Ok(description) = Description::of(data) else {
        return;
    };
    let theirs = Certificate::from_der(data).expect("a certificate");
    let tbs = theirs.tbs_certificate();
    let known = tbs.extensions().into_iter().flatten().filter(|extension| {
        fulcio_principal::Extension::from_oid(&extension.extn_id.to_string()).is_some()
    });
    assert_eq!(description.extensions.len(), known.count());
    if let Ok(pem) = fulcio_client::to_pem(&[der]) {
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    }
}

/// A chain in PEM, as operators give it: one that is accepted is written as what is read as the same,
/// each of its certificates is read by another parser, and is reviewed or said to be malformed.
pub fn chain(data: &[u8]) {
    let Ok(chain) = CaChain::from_pem(data, now()) else {
        return;
    };
    let again = CaChain::from_pem(chain.pem().as_bytes(), now()).expect("what was written");
    assert_eq!(again.certificates(), chain.certificates());
    for (at, certificate) in chain.certificates().iter().enumerate() {
        let theirs = Certificate::from_der(certificate).expect("a certificate");
        assert_eq!(
            theirs.to_der().expect("what was read").len(),
            certificate.len()
        );
        let above = &chain.certificates()[at + 1..];
        let review = Review::of(certificate, above);
        // The review reads extensions that issuing has no need of.
        assert!(
            matches!(review, Ok(_) | Err(Error::Malformed { .. })),
            "{review:?}"
        );
    }
}

/// A saved proof, or a tree head: what is read is written as what is read as the same, and no tree head
/// is believed that the log's key has not signed.
pub fn log_proof(data: &[u8]) {
    if let Ok(proof) = LogProof::parse(data) {
        let text = proof.to_text().expect("what was read");
        assert_eq!(
            LogProof::parse(text.as_bytes()).expect("what was written"),
            proof
        );
        if let Ok(head) = proof.tree_head(None, &KEY) {
            assert!(text.contains(head.note()));
        }
    }
    let _ = TreeHead::from_file(data, None, &KEY);
}
