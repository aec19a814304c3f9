use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::{Value, json};

use super::{
    AzureKeyVault,
    key::random,
    state::{Answer, State},
};

/// A token that was given out.
#[derive(Debug)]
pub(crate) struct Token {
    /// In seconds since 1970.
    pub(crate) ends: u64,
    pub(crate) resource: String,
    pub(crate) text: String,
}

impl State {
    /// Microsoft Entra ID (RFC 6749 section 4.4): an application with its secret, or with a token
    /// of somebody whom it trusts (RFC 7523).
    pub(crate) fn application(&mut self, tenant: &str, form: &Value) -> Answer {
        let said = |name: &str| form[name].as_str().unwrap_or_default();
        if tenant != AzureKeyVault::TENANT {
            let text = format!("AADSTS90002: Tenant '{tenant}' not found.");
            return (400, refusal("invalid_request", 90002, &text));
        }
        if said("client_id") != AzureKeyVault::CLIENT {
            let text = "AADSTS700016: Application was not found in the directory.";
            return (400, refusal("unauthorized_client", 700_016, text));
        }
        let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let secret = said("client_secret") == AzureKeyVault::SECRET;
        let asserted = said("client_assertion_type") == assertion
            && said("client_assertion") == AzureKeyVault::ASSERTION;
        if said("grant_type") != "client_credentials" {
            let text = "AADSTS70003: The app requested an unsupported grant type.";
            return (400, refusal("unsupported_grant_type", 70003, text));
        }
        if !secret && !asserted {
            let text = "AADSTS7000215: Invalid client secret provided.";
            return (401, refusal("invalid_client", 7_000_215, text));
        }
        let Some(resource) = said("scope").strip_suffix("/.default") else {
            let text =
                "AADSTS70011: The provided value for the input parameter 'scope' is not valid.";
            return (400, refusal("invalid_scope", 70011, text));
        };
        let token = self.give(resource);
        let seconds = self.token_lifetime;
        let body = json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
            "access_token": token,
        });
        (200, body)
    }

    /// The managed identities of App Service.
    pub(crate) fn managed_identity(&mut self, headers: &HeaderMap, query: &Value) -> Answer {
        let header = headers.get("x-identity-header");
        if header.is_none_or(|header| header != AzureKeyVault::IDENTITY_HEADER) {
            let body = json!({"statusCode": 401, "message": "The identity header is wrong."});
            return (401, body);
        }
        let client = query["client_id"].as_str();
        if client.is_some_and(|client| client != AzureKeyVault::CLIENT) {
            let body = json!({"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId."});
            return (400, body);
        }
        let (Some("2019-08-01"), Some(resource)) =
            (query["api-version"].as_str(), query["resource"].as_str())
        else {
            let body = json!({"statusCode": 400, "message": "The parameters are wrong."});
            return (400, body);
        };
        let token = self.give(resource);
        let body = json!({
            "access_token": token, "resource": resource, "token_type": "Bearer",
            "expires_on": (now() + u64::from(self.token_lifetime)).to_string(),
            "client_id": AzureKeyVault::CLIENT,
        });
        (200, body)
    }

    /// A token for a resource.
    pub(crate) fn give(&mut self, resource: &str) -> String {
        // It only looks like what it would be (RFC 7519): nobody but the vault reads it.
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let text = format!("{header}.{}.{}", random(), random());
        self.tokens.push(Token {
            ends: now() + u64::from(self.token_lifetime),
            resource: resource.to_owned(),
            text: text.clone(),
        });
        text
    }
}

/// What clients read before they ask Microsoft Entra ID (OpenID Connect Discovery 1.0).
pub(crate) fn discovery(address: &str, tenant: &str) -> Answer {
    let base = format!("https://{address}/{tenant}");
    let body = json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
    });
    (200, body)
}

/// A refusal as Microsoft Entra ID writes it.
pub(crate) fn refusal(error: &str, code: u32, description: &str) -> Value {
    json!({
        "error": error, "error_codes": [code],
        "error_description": format!("{description} Trace ID: {} Timestamp: 2026-01-01 00:00:00Z", random()),
    })
}

/// In seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "tokens end by the clock on the wall"
)]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}
