use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use const_oid::{ObjectIdentifier, db::rfc5912::ID_RSASSA_PSS};
use der::{Decode, SliceReader};
use pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, alg_id};

use crate::{DecodeError, Error, ca_certificate::CaCertificate, public_key::PublicKey};

/// Refuses `certificate` unless the key of `issuer` signed it.
pub(crate) fn verify(
    certificate: &CaCertificate<'_>,
    issuer: &CaCertificate<'_>,
) -> Result<(), Error> {
    PublicKey::parse(&issuer.public_key).map_err(|source| issuer.malformed(source))?;
    let verdict = judge(
        &issuer.public_key,
        certificate.signature_algorithm,
        certificate.to_be_signed,
        certificate.signature,
    );
    match verdict.map_err(|source| certificate.malformed(source))? {
        Verdict::Good => Ok(()),
        Verdict::Unknown(algorithm) => Err(Error::SignatureAlgorithm {
            link: certificate.link.clone(),
            algorithm,
        }),
        Verdict::Bad => Err(Error::NotSignedByNext {
            link: certificate.link.clone(),
            next: issuer.link.clone(),
        }),
    }
}

/// What there is to say about a signature.
#[derive(Debug)]
pub(crate) enum Verdict {
    Good,
    Bad,
    /// The algorithm, dotted, is not among those that are accepted.
    Unknown(String),
}

/// Whether `key` made `signature`, with the algorithm whose identifier has the content `named`.
pub(crate) fn judge(
    key: &SubjectPublicKeyInfoDer<'_>,
    named: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<Verdict, DecodeError> {
    let kind = PublicKey::parse(key)?;
    let oid = oid(named)?;
    let rows = || TABLE.iter().filter(|row| row.is(named, oid));
    if rows().next().is_none() {
        return Ok(Verdict::Unknown(oid.to_string()));
    }
    let good = rows()
        .find(|row| row.key.as_ref() == kind.algorithm())
        .is_some_and(|row| {
            UnparsedPublicKey::new(row.verification, key)
                .verify(message, signature)
                .is_ok()
        });
    Ok(if good { Verdict::Good } else { Verdict::Bad })
}

/// A kind of key, an algorithm that it may have signed with, and how to verify that.
struct Row {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verification: &'static dyn VerificationAlgorithm,
}

impl Row {
    /// Parameters matter only where they choose the algorithm, which is with RSA-PSS (RFC 4055).
    fn is(&self, named: &[u8], named_oid: ObjectIdentifier) -> bool {
        if named_oid == ID_RSASSA_PSS {
            self.signature.as_ref() == named
        } else {
            oid(&self.signature) == Ok(named_oid)
        }
    }
}

/// The OID of the content of an `AlgorithmIdentifier`.
fn oid(identifier: &[u8]) -> Result<ObjectIdentifier, der::Error> {
    ObjectIdentifier::decode(&mut SliceReader::new(identifier)?)
}

const fn row(
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verification: &'static dyn VerificationAlgorithm,
) -> Row {
    Row {
        key,
        signature,
        verification,
    }
}

use alg_id::{
    ECDSA_P256 as P256, ECDSA_P384 as P384, ECDSA_P521 as P521, ECDSA_SHA256, ECDSA_SHA384,
    ECDSA_SHA512, RSA_ENCRYPTION as RSA, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
};

static TABLE: [Row; 16] = [
    row(P256, ECDSA_SHA256, &ECDSA_P256_SHA256_ASN1),
    row(P256, ECDSA_SHA384, &ECDSA_P256_SHA384_ASN1),
    row(P256, ECDSA_SHA512, &ECDSA_P256_SHA512_ASN1),
    row(P384, ECDSA_SHA256, &ECDSA_P384_SHA256_ASN1),
    row(P384, ECDSA_SHA384, &ECDSA_P384_SHA384_ASN1),
    row(P384, ECDSA_SHA512, &ECDSA_P384_SHA512_ASN1),
    row(P521, ECDSA_SHA256, &ECDSA_P521_SHA256_ASN1),
    row(P521, ECDSA_SHA384, &ECDSA_P521_SHA384_ASN1),
    row(P521, ECDSA_SHA512, &ECDSA_P521_SHA512_ASN1),
    row(alg_id::ED25519, alg_id::ED25519, &ED25519),
    row(RSA, RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
    row(RSA, RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384),
    row(RSA, RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512),
    row(RSA, RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
    row(RSA, RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384),
    row(RSA, RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512),
];
