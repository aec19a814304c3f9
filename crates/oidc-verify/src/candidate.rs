use crate::{
    Algorithm, AlgorithmSet, Error, KeySet, Malformed, UnverifiedToken, VerifiedToken, claims,
};

/// A token whose registered claims hold; only its signature is open.
pub(crate) struct Candidate<'a>(UnverifiedToken<'a>);

/// What is found of a candidate's signature.
pub(crate) enum Verdict<'a> {
    /// A key of the issuer made it.
    Signed(SignedToken),
    /// No key did.
    Unknown(Candidate<'a>),
    /// It is of a kind that the issuer does not make.
    Unpermitted(Candidate<'a>),
}

/// A token that a key of its issuer has signed; its claims are not read yet.
pub(crate) struct SignedToken {
    issuer: String,
    subject: String,
    payload: Vec<u8>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(token: UnverifiedToken<'a>) -> Self {
        Self(token)
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    pub(crate) fn judged_by(self, keys: &KeySet, algorithms: AlgorithmSet) -> Verdict<'a> {
        let Self(token) = self;
        if !algorithms.contains(token.algorithm()) {
            return Verdict::Unpermitted(Self(token));
        }
        if !keys.verify(
            token.algorithm(),
            token.key_id(),
            token.signed.as_bytes(),
            &token.signature,
        ) {
            return Verdict::Unknown(Self(token));
        }
        Verdict::Signed(SignedToken {
            issuer: token.registered.issuer,
            subject: token.registered.subject,
            payload: token.payload,
        })
    }
}

impl Verdict<'_> {
    /// The token, when this verdict is the last word.
    pub(crate) fn accepted(self) -> Result<VerifiedToken, Error> {
        match self {
            Self::Signed(token) => token.read(),
            Self::Unknown(_) => Err(Error::Signature),
            Self::Unpermitted(candidate) => Err(Error::Algorithm(candidate.algorithm())),
        }
    }
}

impl SignedToken {
    pub(crate) fn read(self) -> Result<VerifiedToken, Error> {
        let claims = claims::unambiguous(&self.payload).map_err(Malformed::Claims)?;
        Ok(VerifiedToken::new(self.issuer, self.subject, claims))
    }
}
