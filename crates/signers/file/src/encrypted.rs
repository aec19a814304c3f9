//! Keys under a password: PBES2 in PKCS#8 (RFC 8018 section 6.2, RFC 5958 section 3).

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use const_oid::ObjectIdentifier;
use der::{Decode as _, SecretDocument, Sequence, asn1::OctetStringRef, pem::LineEnding};
use fulcio_signer::Algorithm;
use pkcs8::{
    EncryptedPrivateKeyInfoRef, Error as Pkcs8Error, PrivateKeyInfoRef,
    pkcs5::{Error as Pkcs5Error, pbes2::Parameters, scrypt},
    spki::AlgorithmIdentifierRef,
};
use zeroize::Zeroizing;

use crate::{KeyError, error::named};

pub(crate) fn decrypt(
    der: &[u8],
    password: &Zeroizing<String>,
) -> Result<SecretDocument, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_der| unread(der))?;
    let document = info
        .decrypt(password.as_bytes())
        .map_err(|error| match error {
            Pkcs8Error::EncryptedPrivateKey(
                Pkcs5Error::AlgorithmParametersInvalid { oid }
                | Pkcs5Error::UnsupportedAlgorithm { oid },
            ) => unsupported(oid),
            Pkcs8Error::EncryptedPrivateKey(Pkcs5Error::NoPbes1CryptSupport) => unread(der),
            _ => KeyError::WrongPassword,
        })?;
    // One wrong password in 256 ends in something that looks padded.
    PrivateKeyInfoRef::from_der(document.as_bytes())
        .map_err(|_noise| KeyError::WrongPassword)
        .map(|_info| ())?;
    Ok(document)
}

/// Encrypts a key in PKCS#8 with AES-256 under scrypt.
pub(crate) fn to_pem(
    pkcs8: &[u8],
    algorithm: Algorithm,
    password: &Zeroizing<String>,
) -> Result<String, KeyError> {
    let not_made = || KeyError::NotMade(algorithm);
    let random = SystemRandom::new();
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    random.fill(&mut salt).map_err(|_unspecified| not_made())?;
    random.fill(&mut iv).map_err(|_unspecified| not_made())?;

    let cost = scrypt::Params::new(LOG_N, R, P).map_err(|_params| not_made())?;
    let encryption =
        Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(|_params| not_made())?;
    PrivateKeyInfoRef::from_der(pkcs8)
        .map_err(|_der| not_made())?
        .encrypt_with_params(encryption, password.as_bytes())
        .map_err(|_pkcs8| not_made())?
        .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
        .map(|pem| pem.as_str().to_owned())
        .map_err(|_der| not_made())
}

/// What an encryption is called that is known by its outermost name only, as all before PBES2 are.
fn unread(der: &[u8]) -> KeyError {
    match AnyEncryption::from_der(der) {
        Ok(info) => unsupported(info.scheme.oid),
        Err(_der) => KeyError::Malformed {
            reason: "it is not encrypted PKCS#8",
        },
    }
}

fn unsupported(oid: ObjectIdentifier) -> KeyError {
    KeyError::EncryptionUnsupported { scheme: named(oid) }
}

/// `EncryptedPrivateKeyInfo` whatever the encryption.
#[derive(Sequence)]
struct AnyEncryption<'a> {
    scheme: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

/// 16 MiB: OpenSSL refuses to spend more than 32 on opening a key, so the work is in `P`.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;
