//! The token endpoint (RFC 6749 section 3.2), and tokens for the asking.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    Algorithm, DevIdp, TokenRequest, email::is_plausible, form::Form, grants::Grant,
    keys::base64url, response,
};

/// Why a code gives no token (RFC 6749 section 5.2).
type Refused = (&'static str, &'static str);

impl DevIdp {
    /// A code becomes a token.
    pub(crate) fn exchange(
        &self,
        headers: &HeaderMap,
        form: &Form,
        now: SystemTime,
    ) -> Response<Bytes> {
        let grant = match self.redeem(headers, form, now) {
            Ok(grant) => grant,
            Err((error, description)) => {
                return response::json(
                    StatusCode::BAD_REQUEST,
                    &json!({ "error": error, "error_description": description }),
                );
            }
        };
        let request = TokenRequest {
            audience: grant.client_id,
            nonce: grant.nonce,
            ..TokenRequest::for_email(grant.email)
        };
        match self.token(&request, now) {
            // sigstore-python takes the access token for the identity token, as Dex's is one.
            Ok(token) => response::json(
                StatusCode::OK,
                &json!({
                    "access_token": token,
                    "expires_in": TokenRequest::LIFETIME.as_secs(),
                    "id_token": token,
                    "token_type": "Bearer",
                }),
            ),
            Err(error) => response::json(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": "server_error", "error_description": error.to_string() }),
            ),
        }
    }

    /// `GET /token?email=…`, for shells.
    pub(crate) fn token_for_the_asking(&self, form: &Form, now: SystemTime) -> Response<Bytes> {
        let bad_request = |text: &'static str| response::text(StatusCode::BAD_REQUEST, text);
        let Some(email) = form.value("email").filter(|email| is_plausible(email)) else {
            return bad_request("say whose token you want: /token?email=alice@example.com\n");
        };
        let algorithm = form.value("alg").map(Algorithm::from_name);
        let Some(algorithm) = algorithm.unwrap_or(Some(Algorithm::default())) else {
            return bad_request("alg must be ES256 or RS256\n");
        };
        let mut request = TokenRequest {
            algorithm,
            nonce: form.value("nonce").map(str::to_owned),
            ..TokenRequest::for_email(email)
        };
        if let Some(audience) = form.value("audience") {
            audience.clone_into(&mut request.audience);
        }
        match self.token(&request, now) {
            Ok(token) => response::text(StatusCode::OK, token),
            Err(error) => response::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }

    /// The grant behind a code, if the client that asks is the one that was granted it.
    fn redeem(&self, headers: &HeaderMap, form: &Form, now: SystemTime) -> Result<Grant, Refused> {
        if form.value("grant_type") != Some("authorization_code") {
            let description = "grant_type must be authorization_code";
            return Err(("unsupported_grant_type", description));
        }
        let code = form
            .value("code")
            .ok_or(("invalid_request", "the code is missing"))?;
        let verifier = form
            .value("code_verifier")
            .ok_or(("invalid_request", "the code_verifier is missing"))?;
        let client = basic_user(headers).or_else(|| form.value("client_id").map(str::to_owned));
        let client = client.ok_or(("invalid_client", "the client_id is missing"))?;

        let grant = self.grants.take(code, now);
        let grant = grant.ok_or((
            "invalid_grant",
            "the code is unknown, used before, or older than five minutes",
        ))?;
        let challenge = base64url(digest(&SHA256, verifier.as_bytes()).as_ref());
        if grant.code_challenge != challenge {
            return Err(("invalid_grant", "the code_verifier is not the right one"));
        }
        if grant.client_id != client {
            return Err(("invalid_grant", "the code belongs to another client"));
        }
        if form.value("redirect_uri") != Some(&grant.redirect_uri) {
            return Err(("invalid_grant", "the redirect_uri is not the one before"));
        }
        Ok(grant)
    }
}

/// The client's name from HTTP Basic authentication (RFC 6749 section 2.3.1). Any password will do.
fn basic_user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let user = decoded.split(|byte| *byte == b':').next()?;
    // Both halves are form-encoded before they are joined.
    let (user, _) = form_urlencoded::parse(user).next()?;
    (!user.is_empty()).then(|| user.into_owned())
}
