use std::time::SystemTime;

use fulcio_cert_builder::{CaTemplate, Issuer, SerialNumber};
use fulcio_signer::Signer;
use pki_types::CertificateDer;

use crate::Error;

/// Makes the certificate of an authority, for the key of `key`.
///
/// A `parent`, its certificate and its signer, certifies it; without one it is a root, which
/// certifies itself.
///
/// # Errors
/// The template does not make a certificate, or the key that should sign it does not.
pub async fn ca_certificate(
    template: &CaTemplate,
    key: &dyn Signer,
    parent: Option<(&Issuer, &dyn Signer)>,
    serial: SerialNumber,
    now: SystemTime,
) -> Result<CertificateDer<'static>, Error> {
    let issuer = parent.map(|(issuer, _)| issuer);
    let unsigned = template
        .unsigned(key.public_key(), serial, now, issuer)
        .map_err(Error::Issuer)?;
    let signer = parent.map_or(key, |(_, signer)| signer);
    let signature = signer
        .sign(unsigned.to_be_signed())
        .await
        .map_err(Error::Sign)?;
    Ok(unsigned.signed(&signature.0))
}
