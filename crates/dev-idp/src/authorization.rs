use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{form::Form, grants::Grant, loopback::is_loopback_redirect};

/// A client's wish to know who somebody is (RFC 6749 section 4.1.1, RFC 7636 section 4.3).
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    client_id: String,
    return_to: ReturnTo,
    code_challenge: String,
    scope: String,
    nonce: Option<String>,
    login_hint: String,
}

/// Where the answer goes.
#[derive(Clone, Debug)]
pub(crate) struct ReturnTo {
    redirect_uri: String,
    state: Option<String>,
}

/// Why a wish is not granted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The client cannot be told, because nobody knows where it is; the person is.
    Person(&'static str),
    /// The client is told (RFC 6749 section 4.1.2.1).
    Client {
        return_to: ReturnTo,
        error: &'static str,
        description: &'static str,
    },
}

impl Authorization {
    pub(crate) fn read(form: &Form) -> Result<Self, Refusal> {
        let text = |name| form.value(name).map(str::to_owned);
        let client_id = text("client_id").ok_or(Refusal::Person("The client_id is missing."))?;
        let redirect_uri =
            text("redirect_uri").ok_or(Refusal::Person("The redirect_uri is missing."))?;
        if redirect_uri != ReturnTo::OUT_OF_BAND && !is_loopback_redirect(&redirect_uri) {
            return Err(Refusal::Person(
                "The redirect_uri does not lead to this machine. Only http URLs with the host \
                 127.0.0.1, [::1] or localhost are allowed.",
            ));
        }
        let return_to = ReturnTo {
            redirect_uri,
            state: text("state"),
        };
        let refuse = |error, description| Refusal::Client {
            return_to: return_to.clone(),
            error,
            description,
        };
        if form.value("response_type") != Some("code") {
            return Err(refuse(
                "unsupported_response_type",
                "response_type must be code",
            ));
        }
        let scope = text("scope").unwrap_or_default();
        if !scope.split(' ').any(|scope| scope == "openid") {
            return Err(refuse("invalid_scope", "the scope must have openid in it"));
        }
        let code_challenge = text("code_challenge").filter(|challenge| {
            let hash = BASE64_URL_SAFE_NO_PAD.decode(challenge);
            hash.is_ok_and(|hash| hash.len() == 32)
        });
        let (Some(code_challenge), Some("S256")) =
            (code_challenge, form.value("code_challenge_method"))
        else {
            return Err(refuse("invalid_request", "PKCE with S256 is required"));
        };
        Ok(Self {
            client_id,
            return_to,
            code_challenge,
            scope,
            nonce: text("nonce"),
            login_hint: text("login_hint").unwrap_or_else(|| "alice@example.com".to_owned()),
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The address to suggest.
    pub(crate) fn login_hint(&self) -> &str {
        &self.login_hint
    }

    /// What the login page has to send back, so that nothing is kept until somebody logs in.
    pub(crate) fn hidden_fields(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("client_id", Some(self.client_id.as_str())),
            ("code_challenge", Some(&self.code_challenge)),
            ("code_challenge_method", Some("S256")),
            ("nonce", self.nonce.as_deref()),
            ("redirect_uri", Some(&self.return_to.redirect_uri)),
            ("response_type", Some("code")),
            ("scope", Some(&self.scope)),
            ("state", self.return_to.state.as_deref()),
        ];
        let present = fields.into_iter();
        present
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// What is granted once `email` has logged in.
    pub(crate) fn grant(self, email: &str) -> (Grant, ReturnTo) {
        let grant = Grant {
            client_id: self.client_id,
            redirect_uri: self.return_to.redirect_uri.clone(),
            code_challenge: self.code_challenge,
            nonce: self.nonce,
            email: email.to_owned(),
        };
        (grant, self.return_to)
    }
}

impl ReturnTo {
    /// The client waits for a person to type the code.
    const OUT_OF_BAND: &'static str = "urn:ietf:wg:oauth:2.0:oob";

    /// The URL that takes `answer` to the client; none if a person has to.
    pub(crate) fn url(&self, answer: &[(&str, &str)]) -> Option<String> {
        if self.redirect_uri == Self::OUT_OF_BAND {
            return None;
        }
        let mut url = Url::parse(&self.redirect_uri).ok()?;
        url.query_pairs_mut()
            .extend_pairs(answer)
            .extend_pairs(self.state.as_deref().map(|state| ("state", state)));
        Some(url.into())
    }
}
