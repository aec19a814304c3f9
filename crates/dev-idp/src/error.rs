/// Why there is no provider, no key or no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The wall time lies before 1970.
    #[error("the clock is set to a time before 1970")]
    Clock,
    /// A new key or a random value could not be made.
    #[error("no random key could be made")]
    Generate,
    /// The issuer's URL is not one of this machine.
    #[error("a development identity provider cannot have the URL {url:?}")]
    IssuerUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        source: IssuerUrlError,
    },
    /// A stored key cannot be read or written.
    #[error("the {name} key cannot be used: {rejection}")]
    Key {
        /// Which of the two it is: `RSA` or `P-256`.
        name: &'static str,
        /// What the cryptographic library says about it.
        rejection: String,
    },
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Sign,
}

/// What is wrong with the URL of a development identity provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerUrlError {
    /// There is another way to write it, and `iss` is compared letter by letter.
    #[error("write it as {0}")]
    Form(String),
    /// Its host is neither a loopback address nor `localhost`.
    #[error("only 127.0.0.1, [::1] and localhost are allowed, because anybody gets a token there")]
    NotLoopback,
    /// It is not an http or https URL of host, port and path alone.
    #[error("it has to be an http or https URL of host, port and path alone")]
    Unusable,
}
