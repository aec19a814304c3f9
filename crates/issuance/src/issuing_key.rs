use fulcio_cert_builder::{CaChain, Issuer};
use fulcio_challenge::PublicKey;
use fulcio_signer::{Algorithm, Signer};
use pki_types::CertificateDer;

use crate::Error;

/// A key and the chain that speaks for it: what a local authority issues with.
///
/// There is one way to make one, [`new`](Self::new), and it checks that the two belong together,
/// so no back end can forget to.
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

    /// Signs what `unsigned` holds.
    pub(crate) async fn sign(
        &self,
        unsigned: fulcio_cert_builder::Unsigned,
    ) -> Result<CertificateDer<'static>, Error> {
        let signature = self
            .signer
            .sign(unsigned.to_be_signed())
            .await
            .map_err(Error::Sign)?;
        Ok(unsigned.signed(&signature.0))
    }
}
