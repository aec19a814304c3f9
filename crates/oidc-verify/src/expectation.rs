use crate::AlgorithmSet;

/// What must hold of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectation {
    /// What `iss` must be. For `https://accounts.google.com` a token may leave out the scheme.
    pub issuer: String,
    /// What `aud` must name, beside any others. An empty one refuses every token.
    pub audience: String,
    /// What the issuer signs with.
    pub algorithms: AlgorithmSet,
}

impl Expectation {
    /// A token of `issuer` for `audience`, signed by one of `algorithms`.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        algorithms: AlgorithmSet,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            algorithms,
        }
    }
}
