//! Tokens for the vault, asked for as rarely as they can be.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    AzureConfig, Error,
    source::{SOURCE, Source},
    transport::Transport,
};

/// Gives the SDK its tokens.
///
/// The SDK keeps one, and asks for another when the kept one is about to end (then it makes do
/// with that if there is no other) or was refused. It asks inside the request that wants the token,
/// which may be given up at any moment; so tokens are asked for in a task of their own, whose
/// result is there for the next request, and no request waits for long.
#[derive(Debug)]
pub(crate) struct Tokens {
    resource: Option<String>,
    source: Arc<Source>,
    state: Mutex<State>,
    /// How long a token may take, waited for or not.
    task_limit: Duration,
    /// How long a request waits for one.
    wait_limit: Duration,
}

#[derive(Debug, Default)]
struct State {
    asked: Option<JoinHandle<Result<AccessToken, Error>>>,
    failed: Option<(Arc<Error>, Instant)>,
    given: Option<(AccessToken, Instant)>,
}

/// Why the SDK is given no token.
#[derive(Debug, thiserror::Error)]
#[error("a token for Azure could not be had")]
pub(crate) struct NoToken(#[source] pub(crate) Arc<Error>);

impl Tokens {
    pub(crate) fn new(config: &AzureConfig, transport: &Transport) -> Result<Self, Error> {
        let resource = config.resource.as_deref();
        Ok(Self {
            resource: resource.map(|resource| resource.trim_end_matches('/').to_owned()),
            source: Arc::new(Source::new(config, transport)?),
            state: Mutex::default(),
            task_limit: config.open_timeout,
            wait_limit: config.try_timeout / 2,
        })
    }

    async fn token(&self, scope: &str) -> Result<AccessToken, Arc<Error>> {
        let mut state = self.state.lock().await;
        // Requests that were refused together do not each need a token of their own.
        if let Some((token, when)) = &state.given
            && when.elapsed() < JUST_NOW
        {
            return Ok(token.clone());
        }
        let ready = state.asked.as_ref().is_some_and(JoinHandle::is_finished);
        if let Some((error, when)) = &state.failed
            && when.elapsed() < PAUSE
            && state.given.is_some()
            && !ready
        {
            return Err(Arc::clone(error));
        }
        let limit = self.task_limit;
        let task = state.asked.get_or_insert_with(|| {
            let (source, scope) = (Arc::clone(&self.source), scope.to_owned());
            tokio::spawn(async move {
                let asked = timeout(limit, source.token(&scope)).await;
                asked.unwrap_or_else(|_elapsed| Err(late(limit)))
            })
        });
        let answer = match timeout(self.wait_limit, task).await {
            Ok(Ok(answer)) => {
                state.asked = None;
                answer
            }
            Ok(Err(ended)) => {
                state.asked = None;
                Err(Error::Credentials(ended.into()))
            }
            Err(_elapsed) => Err(late(self.wait_limit)),
        };
        match answer {
            Ok(token) => {
                state.failed = None;
                state.given = Some((token.clone(), Instant::now()));
                Ok(token)
            }
            Err(error) => {
                let error = Arc::new(error);
                state.failed = Some((Arc::clone(&error), Instant::now()));
                Err(error)
            }
        }
    }
}

#[async_trait]
impl TokenCredential for Tokens {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        let asked = scope.strip_suffix("/.default").unwrap_or(scope);
        if let Some(expected) = &self.resource
            && asked.trim_end_matches('/') != expected
        {
            let error = Error::ChallengeResource {
                asked: asked.to_owned(),
                expected: expected.clone(),
            };
            return Err(azure_core::Error::new(ErrorKind::Other, error));
        }
        self.token(scope)
            .await
            .map_err(|error| azure_core::Error::new(ErrorKind::Credential, NoToken(error)))
    }
}

fn late(limit: Duration) -> Error {
    Error::Late {
        host: SOURCE.to_owned(),
        limit,
    }
}

/// Longer than the requests take to be answered that were sent with the same token.
const JUST_NOW: Duration = Duration::from_secs(1);
/// How long a request does without another token, where there was one.
const PAUSE: Duration = Duration::from_secs(5);
