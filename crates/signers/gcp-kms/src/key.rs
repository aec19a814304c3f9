//! The two requests to Google Cloud KMS about a key that signs.

use core::fmt;

use fulcio_remote_key::{Hash, PublicKey};
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use google_cloud_kms_v1::model::{AsymmetricSignResponse, Digest};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{
    Error, KeyReference,
    algorithm::signing,
    checksum::{checksum, undamaged},
    client::Kms,
    version::newest_enabled,
};

/// One version of a key; each signature is one request.
pub(crate) struct KmsKey {
    hash: Option<Hash>,
    kms: Kms,
    public: PublicKey,
    version: String,
}

impl KmsKey {
    /// Asks for the newest version, where none is meant, and for the public half of it.
    pub(crate) async fn find(kms: &Kms, reference: &KeyReference) -> Result<Self, Error> {
        let version = match reference.version_name() {
            Some(version) => version,
            None => newest_enabled(kms, reference.key()).await?,
        };
        let (public, hash) = public_key(kms, &version).await?;
        Ok(Self {
            hash,
            kms: kms.clone(),
            public,
            version,
        })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let request = self.kms.client.asymmetric_sign().set_name(&self.version);
        let request = match self.hash {
            Some(hash) => {
                let digest = hash.digest(message);
                request
                    .set_digest_crc32c(checksum(digest.as_ref()))
                    .set_digest(named(hash, digest.as_ref()))
            }
            None => request
                .set_data_crc32c(checksum(message))
                .set_data(message.to_vec()),
        };
        let answer = self.kms.ask(&self.version, request.send()).await?;
        self.signature_of(answer)
    }

    fn signature_of(&self, answer: AsymmetricSignResponse) -> Result<Vec<u8>, Error> {
        about(&self.version, answer.name)?;
        let (arrived, field) = match self.hash {
            Some(_) => (answer.verified_digest_crc32c, "verifiedDigestCrc32c"),
            None => (answer.verified_data_crc32c, "verifiedDataCrc32c"),
        };
        if !arrived {
            return Err(Error::Checksum { field });
        }
        let signature = undamaged(answer.signature, answer.signature_crc32c, "signatureCrc32c")?;
        Ok(signature.into())
    }
}

impl Signer for KmsKey {
    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.public.spki()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async {
            let signature = self.signature(message).await;
            signature.map(Signature).map_err(Error::into_signer_error)
        })
    }
}

impl fmt::Debug for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKey")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The public half of a version, and the hash that its signatures begin with.
async fn public_key(kms: &Kms, version: &str) -> Result<(PublicKey, Option<Hash>), Error> {
    let request = kms.client.get_public_key().set_name(version);
    let answer = kms.ask(version, request.send()).await?;
    about(version, answer.name)?;
    let pem = undamaged(answer.pem, answer.pem_crc32c, "pemCrc32c")?;
    let algorithm = answer.algorithm.to_string();
    let said = signing(&algorithm).ok_or_else(|| Error::Algorithm {
        algorithm,
        key: version.to_owned(),
    })?;
    let useless = |source| Error::PublicKey {
        key: version.to_owned(),
        source,
    };
    let public = PublicKey::from_pem(&pem).map_err(useless)?;
    let key = public.algorithm();
    if said != key {
        return Err(useless(fulcio_remote_key::Error::AlgorithmOfAnotherKey {
            said,
            key,
        }));
    }
    let hash = Hash::of(key).map_err(useless)?;
    Ok((public, hash))
}

/// Refuses an answer about anything but what was asked for.
fn about(asked: &str, answered: String) -> Result<(), Error> {
    if answered.is_empty() {
        Err(Error::AnswerIncomplete { field: "name" })
    } else if answered == asked {
        Ok(())
    } else {
        Err(Error::OtherKey {
            answered,
            asked: asked.to_owned(),
        })
    }
}

fn named(hash: Hash, digest: &[u8]) -> Digest {
    let digest = digest.to_vec();
    match hash {
        Hash::Sha256 => Digest::new().set_sha256(digest),
        Hash::Sha384 => Digest::new().set_sha384(digest),
        Hash::Sha512 => Digest::new().set_sha512(digest),
    }
}
