use fulcio_cert_builder::{CaChain, Issuer, Unsigned};
use fulcio_challenge::PublicKey;
use fulcio_remote_key::Verified;
use fulcio_signer::{Algorithm, Signer};
use pki_types::CertificateDer;

use crate::Error;

/// A key and the chain that speaks for it: what a local authority issues with.
///
/// There is one way to make one, [`new`](Self::new), and it checks that the two belong together,
/// so no back end can forget to. No signature is used that does not verify: where the signer does
/// not vouch for its own ([`Signer::is_verified`]), each is verified here.
#[derive(Debug)]
pub struct IssuingKey {
    chain: CaChain,
    signer: Box<dyn Signer>,
}

/// Why a signer and a chain do not make an issuing key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuingKeyError {
    /// The key would sign otherwise than its certificate says.
    #[error(
        "the key signs with {signer}, which is not how a certificate under this chain is signed; \
         use a key of the kind that the first certificate names"
    )]
    Algorithm {
        /// How the signer signs.
        signer: Algorithm,
    },
    /// The authority's own key breaks the key policy.
    #[error("the authority's own key may not be used: {0}")]
    Insecure(#[source] fulcio_challenge::Error),
    /// The first certificate is for another key.
    #[error(
        "the key does not belong to the first certificate of the chain; \
         the chain must begin with the certificate of the issuing key"
    )]
    KeyMismatch,
    /// The signatures of such a key could not be verified.
    #[error("what the key signs could not be verified: {0}")]
    Unverifiable(#[source] fulcio_remote_key::Error),
}

impl IssuingKey {
    /// Joins a chain that has been checked and the signer it is for.
    ///
    /// # Errors
    /// The first certificate is for another key, the key signs otherwise than the certificate
    /// says, or the key is one that the key policy refuses.
    pub fn new(chain: CaChain, signer: Box<dyn Signer>) -> Result<Self, IssuingKeyError> {
        let issuer = chain.issuer();
        if signer.public_key().as_ref() != issuer.public_key().as_ref() {
            return Err(IssuingKeyError::KeyMismatch);
        }
        if signer.algorithm().identifier() != issuer.signature_algorithm() {
            return Err(IssuingKeyError::Algorithm {
                signer: signer.algorithm(),
            });
        }
        PublicKey::parse(issuer.public_key().as_ref()).map_err(IssuingKeyError::Insecure)?;
        let signer = if signer.is_verified() {
            signer
        } else {
            Box::new(Verified::new(signer).map_err(IssuingKeyError::Unverifiable)?)
        };
        Ok(Self { chain, signer })
    }

    /// The certificates that speak for the key, its own first, the root last.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        self.chain.certificates()
    }

    /// What a certificate under this key says about its issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        self.chain.issuer()
    }

    /// Has the key sign a text that nobody takes for anything else; like every signature of it, this
    /// one is verified.
    ///
    /// What is signed begins with a letter, and a certificate with the octet 0x30, so the signature
    /// is of no use to whoever might see it.
    ///
    /// # Errors
    /// The key does not sign, or another one does ([`WrongKey`](fulcio_signer::ErrorKind::WrongKey)).
    pub async fn test_signature(&self) -> Result<(), fulcio_signer::Error> {
        self.signer.sign(TEST_MESSAGE).await.map(drop)
    }

    /// Signs what `unsigned` holds.
    pub(crate) async fn sign(&self, unsigned: Unsigned) -> Result<CertificateDer<'static>, Error> {
        let signature = self
            .signer
            .sign(unsigned.to_be_signed())
            .await
            .map_err(Error::Sign)?;
        Ok(unsigned.signed(&signature.0))
    }
}

const TEST_MESSAGE: &[u8] = b"fulcio: test signature of an issuing key, which certifies nothing";
