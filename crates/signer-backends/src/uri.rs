use core::fmt;

use crate::Error;

/// Where a key is: a scheme, and whatever that scheme makes of the rest.
///
/// | URI | key |
/// |---|---|
/// | `file:///etc/fulcio/key.pem` | in a PEM file; percent-encoded as RFC 8089 says |
/// | `ephemeral:` | made now, on P-256, and never written down |
/// | `ephemeral:p384` | the same on P-384; also `p256`, `p521`, `ed25519`, `rsa` |
/// | `awskms:///alias/fulcio` | in AWS KMS: an alias, a key ID or an ARN; with an `https` endpoint between the slashes, `awskms://HOST:PORT/KEY` |
/// | `azurekms://NAME.vault.azure.net/fulcio` | in Azure Key Vault or Managed HSM, its newest version; with `/VERSION` behind it, that one |
/// | `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K` | in Google Cloud KMS, its newest enabled version; with `/cryptoKeyVersions/2` or `/versions/2` behind it, that one |
/// | `hashivault://fulcio` | in the transit engine of HashiCorp Vault or OpenBao, its newest version; also `openbao://fulcio` |
/// | `hashivault://fulcio/versions/2` | the same, that version |
/// | `pkcs11:token=fulcio;object=PKCS11CA?module-path=/usr/lib/softhsm/libsofthsm2.so` | in a token (RFC 7512): `token`, `serial` or `slot-id` says which, `object` and `id` which key; the PIN is the password, or behind `pin-value` or `pin-source` |
/// | `tink:///etc/fulcio/keyset.json?kek=gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K` | the primary key of a Tink keyset, which that key has encrypted; also `aws-kms://ARN` and `hcvault://HOST/transit/keys/K` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignerUri<'a> {
    scheme: &'a str,
    rest: &'a str,
}

impl<'a> SignerUri<'a> {
    /// Splits `uri` at its first colon.
    ///
    /// # Errors
    /// There is no scheme (RFC 3986 section 3.1) before a colon, as in a bare path.
    pub fn parse(uri: &'a str) -> Result<Self, Error> {
        let (scheme, rest) = uri.split_once(':').ok_or(Error::NoScheme)?;
        let mut bytes = scheme.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if begins && goes_on {
            Ok(Self { scheme, rest })
        } else {
            Err(Error::NoScheme)
        }
    }

    /// Which back end it is for, as it was written.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Everything behind the first colon.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest
    }
}

/// As it was written.
impl fmt::Display for SignerUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.rest)
    }
}
