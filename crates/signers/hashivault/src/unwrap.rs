use core::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_remote_key::{Fault as _, Patience, Spent};
use fulcio_signer::{KeyUnwrap, Unwrapping};
use http::{Method, Uri};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{Error, UnwrapKeyReference, VaultConfig, client::Client, transit::data};

/// A symmetric key in the transit engine that decrypts what was encrypted with it, such as Tink
/// keysets.
///
/// There is no context and no associated data, as Tink sends none. What Vault could not do is tried
/// again within [`VaultConfig::timeout`].
///
/// Wants a Tokio runtime with a timer. The token must be allowed to `update` `MOUNT/decrypt/KEY`.
pub struct HashivaultUnwrap {
    client: Client,
    decrypt: Uri,
    key: String,
    mount: String,
    patience: Patience,
    try_timeout: Duration,
}

impl HashivaultUnwrap {
    /// Reads the token; Vault is not asked yet.
    ///
    /// # Errors
    /// The configuration cannot be meant, or there is no token.
    pub async fn open(reference: &UnwrapKeyReference, config: &VaultConfig) -> Result<Self, Error> {
        let config = reference.within(config);
        let key = reference.name().to_owned();
        Ok(Self {
            client: Client::new(&config).await?,
            decrypt: config.endpoint(&format!("decrypt/{key}"))?,
            key,
            mount: reference.mount().to_owned(),
            patience: Patience::new(config.timeout),
            try_timeout: config.try_timeout,
        })
    }

    async fn decrypted(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let ciphertext = str::from_utf8(wrapped).map_err(|_not_utf8| self.not_ours(Vec::new()))?;
        let body = serde_json::to_vec(&DecryptRequest { ciphertext }).map_err(Error::Answer)?;
        let limit = self.try_timeout;
        let attempt = || async {
            let body = body.clone().into();
            let asked = self.client.ask(Method::POST, &self.decrypt, body);
            timeout(limit, asked)
                .await
                .unwrap_or(Err(Error::Late { limit }))
        };
        let answer = self.patience.try_until_done(attempt).await;
        let answer = answer.map_err(|spent| match spent {
            Spent::Failed(Error::Refused { errors, status }) => self.refused(errors, status),
            Spent::Failed(error) => error,
            Spent::Late { limit, last } => Error::Deadline {
                limit,
                last: last.map(Box::new),
            },
        })?;
        let answer = Zeroizing::new(answer);
        let DecryptAnswer { plaintext } = data(&answer)?;
        let plaintext = Zeroizing::new(plaintext);
        // All the room at once: a vector that grows leaves copies behind.
        let mut decoded = Zeroizing::new(Vec::with_capacity(plaintext.len()));
        STANDARD
            .decode_vec(plaintext.as_bytes(), &mut decoded)
            .map_err(|_base64| Error::PlaintextMalformed)?;
        Ok(decoded)
    }

    /// What a refusal means that was not of the token.
    fn refused(&self, errors: Vec<String>, status: u16) -> Error {
        match status {
            400 if errors.iter().any(|text| text.contains(NO_KEY)) => self.missing(),
            400 => self.not_ours(errors),
            404 => self.missing(),
            _ => Error::Refused { errors, status },
        }
    }

    fn missing(&self) -> Error {
        Error::KeyMissing {
            key: self.key.clone(),
            mount: self.mount.clone(),
        }
    }

    fn not_ours(&self, errors: Vec<String>) -> Error {
        Error::Ciphertext {
            errors,
            key: self.key.clone(),
        }
    }
}

impl KeyUnwrap for HashivaultUnwrap {
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> Unwrapping<'a> {
        Box::pin(async {
            self.decrypted(wrapped).await.map_err(|error| {
                let wait = error.retry_after();
                fulcio_signer::Error::new(error.kind(), error).with_retry_after(wait)
            })
        })
    }
}

impl fmt::Debug for HashivaultUnwrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashivaultUnwrap")
            .field("decrypt", &self.decrypt)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct DecryptRequest<'a> {
    /// As Vault wrote it, `vault:v1:` and base64.
    ciphertext: &'a str,
}

#[derive(Deserialize)]
struct DecryptAnswer {
    plaintext: String,
}

/// How transit says that there is no such key.
const NO_KEY: &str = "encryption key not found";
