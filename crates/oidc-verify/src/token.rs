use core::fmt;
use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Algorithm, Error, Expectation, KeySet, Malformed, VerifiedToken,
    bounds::{LONGEST, bounded},
    candidate::Candidate,
    header::Header,
    registered::Registered,
    surrogate::replace_lone_surrogates,
};

/// A token as it came (RFC 7515 §7.1): taken apart and decoded once, but nobody has vouched for a
/// word of it.
///
/// [`issuer`](Self::issuer) is there so that the caller can choose the
/// [`Provider`](crate::Provider).
pub struct UnverifiedToken<'a> {
    pub(crate) header: Header,
    pub(crate) registered: Registered,
    pub(crate) payload: Vec<u8>,
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes `raw` apart.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when it is not a compact JWS with one of our algorithms and a payload
    /// of claims, when it is longer than 2 MiB or has more than 50,000 values in its header or payload, when its header
    /// has a parameter twice or a critical extension, or when one of the registered claims has the wrong type.
    pub fn parse(raw: &'a str) -> Result<Self, Error> {
        if raw.len() > LONGEST {
            return Err(Malformed::TooLong { limit: LONGEST }.into());
        }
        let (signed, signature) = raw.rsplit_once('.').ok_or(Malformed::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed::Parts)?;
        if payload.contains('.') {
            return Err(Malformed::Parts.into());
        }
        let header = decode("header", header)?;
        bounded(&header)?;
        let header = Header::parse(&header)?;
        let mut payload = decode("payload", payload)?;
        bounded(&payload)?;
        replace_lone_surrogates(&mut payload);
        Ok(Self {
            header,
            registered: Registered::parse(&payload)?,
            payload,
            signed,
            signature: decode("signature", signature)?,
        })
    }

    /// The claim `iss`; empty when there is none.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.registered.issuer
    }

    /// The claim `aud`; empty when there is none.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.registered.audiences
    }

    /// The header's `kid`, unless it is absent or empty.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// The header's `alg`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// Checks the token against `keys` and `expected` at the time `now`.
    ///
    /// A token with a `kid` is tried with the keys of that `kid` only, one without with all keys.
    ///
    /// # Errors
    ///
    /// The first of [`Error::Issuer`], [`Error::Audience`], [`Error::Expired`],
    /// [`Error::NotYetValid`], [`Error::Algorithm`] and [`Error::Signature`] that is so;
    /// [`Error::Malformed`] when the claims of a well-signed token are not JSON all through, or one
    /// of them stands there twice.
    pub fn verify(
        self,
        keys: &KeySet,
        expected: &Expectation,
        now: SystemTime,
    ) -> Result<VerifiedToken, Error> {
        self.claiming(&expected.issuer, &expected.audience, now)?
            .judged_by(keys, expected.algorithms)
            .accepted()
    }

    /// The token as one whose registered claims hold, should it turn out to be signed.
    pub(crate) fn claiming(
        self,
        issuer: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<Candidate<'a>, Error> {
        self.registered.hold(issuer, audience, now)?;
        Ok(Candidate::new(self))
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken")
            .field("issuer", &self.issuer())
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, Malformed> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|source| Malformed::Base64 { part, source })
}
