//! `hashivault:` and `openbao:`.

use fulcio_signer::Signer;
use fulcio_signer_hashivault::{HashivaultSigner, KeyReference};

use crate::{Error, OpenOptions, SignerUri};

pub(crate) async fn hashivault(
    uri: &SignerUri<'_>,
    options: &OpenOptions,
) -> Result<Box<dyn Signer>, Error> {
    let reference = format!("{}:{}", uri.scheme(), uri.rest());
    let reference: KeyReference = reference.parse().map_err(Error::Hashivault)?;
    let config = options.vault().ok_or(Error::HashivaultUnconfigured)?;
    HashivaultSigner::open(&reference, config)
        .await
        .map(|signer| Box::new(signer) as Box<dyn Signer>)
        .map_err(Error::Hashivault)
}
