use std::sync::LazyLock;

use fulcio_ct_client::{
    AcceptedRoots, Entry, LogKey, SctError, SignedCertificateTimestamp, decode_sct_list,
    encode_sct_list,
};
use pki_types::CertificateDer;

use crate::fixed::{json, now, p256_spki};

static KEY: LazyLock<LogKey> =
    LazyLock::new(|| LogKey::from_spki(p256_spki()).expect("a log's key"));

/// A log's answer to `add-chain` or `add-pre-chain`: what is read is written, in both forms, as what
/// is read again as the same; another JSON parser reads the same fields; nothing is believed.
pub fn sct(data: &[u8]) {
    let Ok(timestamp) = SignedCertificateTimestamp::from_json(data) else {
        return;
    };
    let again = SignedCertificateTimestamp::from_json(timestamp.to_json().as_bytes());
    assert_eq!(again.expect("what was written"), timestamp);
    let again = SignedCertificateTimestamp::decode(&timestamp.encode());
    assert_eq!(again.expect("what was written"), timestamp);
    if let Some(json) = json(data) {
        assert_eq!(json["timestamp"].as_u64(), Some(timestamp.timestamp()));
    }
    unbelieved(&timestamp);
}

/// The list of timestamps in a certificate, and one timestamp: what is read is written as it was.
pub fn sct_list(data: &[u8]) {
    if let Ok(list) = decode_sct_list(data) {
        assert_eq!(encode_sct_list(&list), data);
        list.iter().for_each(unbelieved);
    }
    if let Ok(timestamp) = SignedCertificateTimestamp::decode(data) {
        assert_eq!(timestamp.encode(), data);
        unbelieved(&timestamp);
    }
}

fn unbelieved(timestamp: &SignedCertificateTimestamp) {
    // A place in the log is five bytes.
    let index = timestamp.leaf_index();
    assert!(!matches!(index, Ok(Some(index)) if index >= 1 << 40));
    let verified = timestamp.verify(&Entry::Certificate(b"of nobody"), &KEY, Some(now()));
    assert!(verified.is_err_and(|error: SctError| !error.to_string().is_empty()));
}

/// A log's answer to `get-roots`: another JSON parser counts the same, and no root is accepted that
/// is not in it.
pub fn roots(data: &[u8]) {
    let Ok(roots) = AcceptedRoots::from_json(data) else {
        return;
    };
    let Some(json) = json(data) else {
        return;
    };
    assert_eq!(
        json["certificates"].as_array().map(Vec::len),
        Some(roots.count())
    );
    assert!(!roots.accept(&[CertificateDer::from_slice(b"no certificate")]) || roots.count() > 0);
}
