use der::Decode as _;
use fulcio_challenge::{
    Error, KeyKind, PermittedAlgorithms, Proof, ProvenBy, ProvenKey, PublicKey,
};
use p256::ecdsa::signature::Verifier as _;
use spki::{DecodePublicKey as _, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::request::CertReq;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::fixed::{csr_of, ed25519_key, line, pem_of};

/// A public key, PEM or DER: one that is accepted is read again as the same, is a key of the kind
/// that RustCrypto reads, and no good key on a NIST curve is refused.
pub fn public_key(data: &[u8]) {
    let ours = PublicKey::parse(data);
    if let Ok(key) = &ours {
        holds(key);
    }
    // PEM may stand anywhere in the text; without it, the bytes are DER.
    if !data.windows(10).any(|part| part == b"-----BEGIN")
        && let Ok(spki) = SubjectPublicKeyInfoRef::from_der(data)
        && spki.subject_public_key.raw_bytes().first() == Some(&4)
    {
        let on_a_curve = p256::PublicKey::from_public_key_der(data).is_ok()
            || p384::PublicKey::from_public_key_der(data).is_ok()
            || p521::PublicKey::from_public_key_der(data).is_ok();
        assert!(ours.is_ok() || !on_a_curve, "{ours:?}");
    }
}

/// What is true of every key that was accepted.
fn holds(key: &PublicKey) {
    let spki = key.spki();
    let again = PublicKey::parse(spki.as_ref());
    assert_eq!(again.as_ref(), Ok(key));
    let info = SubjectPublicKeyInfoOwned::from_der(&spki).expect("DER");
    let bits = info.subject_public_key.raw_bytes();
    match key.kind() {
        KeyKind::EcdsaP256 => assert!(p256::PublicKey::from_public_key_der(&spki).is_ok()),
        KeyKind::EcdsaP384 => assert!(p384::PublicKey::from_public_key_der(&spki).is_ok()),
        KeyKind::EcdsaP521 => assert!(p521::PublicKey::from_public_key_der(&spki).is_ok()),
        KeyKind::Ed25519 => assert_eq!(bits.len(), 32),
        KeyKind::Rsa2048 => rsa(bits, 2048),
        KeyKind::Rsa3072 => rsa(bits, 3072),
        KeyKind::Rsa4096 => rsa(bits, 4096),
        other => panic!("{other} is judged by nobody"),
    }
}

fn rsa(der: &[u8], size: usize) {
    let key = pkcs1::RsaPublicKeyRef::try_from(der).expect("an RSAPublicKey");
    let modulus = key.modulus.as_bytes();
    assert_eq!(modulus.len() * 8, size);
    assert!(modulus[0] >= 0x80 && modulus[modulus.len() - 1] % 2 == 1);
    assert_eq!(key.public_exponent.as_bytes(), [1, 0, 1]);
}

/// A challenge in the first line, a signature in base64 in the second, and a key: a proof on a NIST curve
/// holds if and only if RustCrypto verifies it, and none holds for another challenge as well.
pub fn proof(data: &[u8]) {
    let (challenge, rest) = line(data);
    let (signature, key) = line(rest);
    let Ok(challenge) = core::str::from_utf8(challenge) else {
        return;
    };
    let Ok(signature) = BASE64_STANDARD.decode(signature) else {
        return;
    };
    let permitted = PermittedAlgorithms::default();
    let proof = Proof::Challenge {
        key,
        signature: &signature,
    };
    let ours = proof.verify(challenge, &permitted);
    if let Ok(proven) = &ours {
        holds(proven.public_key());
        assert_eq!(
            proven.proven_by(),
            &ProvenBy::Challenge(challenge.to_owned())
        );
        assert_eq!(PublicKey::parse(key).as_ref(), Ok(proven.public_key()));
        let other = format!("{challenge}.");
        assert!(matches!(
            proof.verify(&other, &permitted),
            Err(Error::Signature)
        ));
    }
    if let Ok(key) = PublicKey::parse(key)
        && let Some(theirs) = verifies(&key, challenge.as_bytes(), &signature)
    {
        assert_eq!(ours.is_ok(), theirs, "{ours:?}");
    }
}

/// Whether RustCrypto verifies the signature, in one form or the other; nothing where it has no say.
fn verifies(key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<bool> {
    let spki = key.spki();
    macro_rules! on_curve {
        ($curve:ident, $length:literal) => {{
            use $curve::ecdsa::{DerSignature, Signature, VerifyingKey};
            let key = VerifyingKey::from_public_key_der(&spki).expect("a point");
            let der = DerSignature::try_from(signature);
            let row = row(signature, $length).and_then(|row| Signature::from_slice(&row).ok());
            Some(
                der.is_ok_and(|signature| key.verify(message, &signature).is_ok())
                    || row.is_some_and(|signature| key.verify(message, &signature).is_ok()),
            )
        }};
    }
    match key.kind() {
        KeyKind::EcdsaP256 => on_curve!(p256, 32),
        KeyKind::EcdsaP384 => on_curve!(p384, 48),
        KeyKind::EcdsaP521 => on_curve!(p521, 66),
        _ => None,
    }
}

/// A row of two numbers (IEEE P1363) with both in `length` octets. Fulcio takes them in fewer and in more octets,
/// up to those of P-521.
fn row(signature: &[u8], length: usize) -> Option<Vec<u8>> {
    if signature.len() > 132 || !signature.len().is_multiple_of(2) {
        return None;
    }
    let mut row = Vec::new();
    let (r, s) = signature.split_at(signature.len() / 2);
    for number in [r, s] {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        let number = &number[zeros..];
        row.resize(row.len() + length.checked_sub(number.len())?, 0);
        row.extend(number);
    }
    Some(row)
}

/// A request (PKCS#10) in PEM, or in DER, which is put into PEM.
pub fn csr(data: &[u8]) {
    if data.starts_with(b"-----") {
        proven(data);
    } else {
        let proven = proven(&pem_of("CERTIFICATE REQUEST", data));
        if let Some(proven) = proven
            && let Ok(theirs) = CertReq::from_der(data)
        {
            same_key(&proven, &theirs);
        }
    }
}

/// What a request (PKCS#10) says, signed with the fixed key: x509-cert reads the same key, which is
/// the one that signed.
pub fn csr_content(data: &[u8]) {
    let der = csr_of(data);
    let Some(proven) = proven(&pem_of("CERTIFICATE REQUEST", &der)) else {
        return;
    };
    assert_eq!(proven.public_key().kind(), KeyKind::Ed25519);
    assert!(proven.spki().as_ref().ends_with(ed25519_key()));
    if let Ok(theirs) = CertReq::from_der(&der) {
        same_key(&proven, &theirs);
    }
}

fn same_key(proven: &ProvenKey, theirs: &CertReq) {
    let ours = SubjectPublicKeyInfoOwned::from_der(proven.spki().as_ref()).expect("DER");
    assert_eq!(ours, theirs.info.public_key);
}

fn proven(pem: &[u8]) -> Option<ProvenKey> {
    let proven = Proof::Csr(pem)
        .verify("", &PermittedAlgorithms::default())
        .ok()?;
    assert_eq!(proven.proven_by(), &ProvenBy::Csr);
    holds(proven.public_key());
    Some(proven)
}
