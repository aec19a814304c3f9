use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    Algorithm, Error, Keys, TokenRequest,
    form::{Form, FormError},
    grants::Grants,
    guard::{Intruder, admit},
    loopback::LoopbackUrl,
    page, response,
};

/// A development identity provider for one URL of this machine.
#[derive(Debug)]
pub struct DevIdp {
    issuer: LoopbackUrl,
    keys: Keys,
    pub(crate) grants: Grants,
}

impl DevIdp {
    /// The longest request body that is read, in bytes.
    pub const BODY_LIMIT: usize = Form::LIMIT;

    /// The provider whose tokens have `issuer` as their `iss`, and which is reached there.
    ///
    /// # Errors
    /// `issuer` is not an http or https URL of a loopback address or of `localhost`.
    pub fn new(issuer: &str, keys: Keys) -> Result<Self, Error> {
        let issuer = LoopbackUrl::parse(issuer).map_err(|source| Error::IssuerUrl {
            url: issuer.to_owned(),
            source,
        })?;
        Ok(Self {
            issuer,
            keys,
            grants: Grants::default(),
        })
    }

    /// The `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// The keys that sign the tokens.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Where the provider is mounted: empty, or a path without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        self.issuer.path()
    }

    /// Whether a request for this path is for this provider.
    #[must_use]
    pub fn owns(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.path());
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    /// A token, issued at the time `now`.
    ///
    /// # Errors
    /// It cannot be signed, or `now` lies before 1970.
    pub fn token(&self, request: &TokenRequest, now: SystemTime) -> Result<String, Error> {
        request.sign(self.issuer(), &self.keys, now)
    }

    /// Answers a request, whose path still has the path of the issuer's URL in front.
    ///
    /// The body is there already; whoever reads it may stop one byte after
    /// [`BODY_LIMIT`](Self::BODY_LIMIT).
    #[must_use]
    pub fn handle(&self, request: &Request<Bytes>, now: SystemTime) -> Response<Bytes> {
        if let Err(intruder) = admit(request) {
            return turned_away(intruder);
        }
        let path = request.uri().path();
        let Some(endpoint) = Endpoint::at(path.strip_prefix(self.path())) else {
            let body = "the development identity provider has nothing here\n";
            return response::text(StatusCode::NOT_FOUND, body);
        };
        let form = match *request.method() {
            Method::GET | Method::HEAD => Form::of_query(request),
            Method::POST if endpoint.takes_posts() => Form::of_body(request),
            _ => {
                let body = "the development identity provider does not know this method here\n";
                return response::text(StatusCode::METHOD_NOT_ALLOWED, body);
            }
        };
        let form = match form {
            Ok(form) => form,
            Err(error) => return unreadable(error),
        };
        let is_post = request.method() == Method::POST;
        match endpoint {
            Endpoint::Authorize if is_post => self.log_in(&form, now),
            Endpoint::Authorize => self.ask_to_log_in(&form),
            Endpoint::Discovery => response::json(StatusCode::OK, &self.discovery()),
            Endpoint::Home => response::html(StatusCode::OK, page::home(self.issuer())),
            Endpoint::Keys => response::json(StatusCode::OK, self.keys.key_set()),
            Endpoint::Token if is_post => self.exchange(request.headers(), &form, now),
            Endpoint::Token => self.token_for_the_asking(&form, now),
        }
    }

    /// OpenID Connect Discovery 1.0 section 3.
    fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer());
        json!({
            "authorization_endpoint": at("/authorize"),
            "claims_supported": [
                "aud", "development", "email", "email_verified", "exp", "iat", "iss", "nonce", "sub"
            ],
            "code_challenge_methods_supported": ["S256"],
            "development": true,
            "grant_types_supported": ["authorization_code"],
            "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
            "issuer": self.issuer(),
            "jwks_uri": at("/keys"),
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "email"],
            "service_documentation": at("/"),
            "subject_types_supported": ["public"],
            "token_endpoint": at("/token"),
            "token_endpoint_auth_methods_supported": [
                "none", "client_secret_basic", "client_secret_post"
            ],
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Endpoint {
    Authorize,
    Discovery,
    Home,
    Keys,
    Token,
}

impl Endpoint {
    fn at(path: Option<&str>) -> Option<Self> {
        Some(match path? {
            "" | "/" => Self::Home,
            "/.well-known/openid-configuration" => Self::Discovery,
            "/authorize" => Self::Authorize,
            "/keys" => Self::Keys,
            "/token" => Self::Token,
            _ => return None,
        })
    }

    fn takes_posts(self) -> bool {
        matches!(self, Self::Authorize | Self::Token)
    }
}

fn turned_away(intruder: Intruder) -> Response<Bytes> {
    let (status, body) = match intruder {
        Intruder::Host => (
            StatusCode::MISDIRECTED_REQUEST,
            "the development identity provider answers only under 127.0.0.1, [::1] and localhost\n",
        ),
        Intruder::Site => (
            StatusCode::FORBIDDEN,
            "the development identity provider does not answer the pages of other sites\n",
        ),
    };
    response::text(status, body)
}

fn unreadable(error: FormError) -> Response<Bytes> {
    let (status, body) = match error {
        FormError::ContentType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/x-www-form-urlencoded\n",
        ),
        FormError::Repeated => (StatusCode::BAD_REQUEST, "a parameter is given twice\n"),
        FormError::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n"),
    };
    response::text(status, body)
}
