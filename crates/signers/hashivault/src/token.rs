use core::fmt;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::Error;

/// Where the token is that Vault knows us by.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: it is said, or it is kept"
)]
pub enum TokenSource {
    /// A file that holds it, such as Vault's agent writes and replaces; white space around it is
    /// not part of it. It is read when a key is opened, and again when Vault refuses the token.
    File(PathBuf),
    /// The token itself.
    Value(Zeroizing<String>),
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Value(_secret) => f.write_str("Value([hidden])"),
        }
    }
}

/// The token in use, as the header that carries it.
pub(crate) struct Token {
    file: Option<PathBuf>,
    current: Mutex<HeaderValue>,
}

impl Token {
    pub(crate) async fn open(source: &TokenSource) -> Result<Self, Error> {
        let (file, token) = match source {
            TokenSource::File(file) => (Some(file.clone()), read(file).await?),
            TokenSource::Value(token) => (None, header(token)?),
        };
        Ok(Self {
            file,
            current: Mutex::new(token),
        })
    }

    pub(crate) fn current(&self) -> HeaderValue {
        self.lock().clone()
    }

    /// Another token than the one that Vault has just refused, if there is one by now.
    pub(crate) async fn instead_of(
        &self,
        refused: &HeaderValue,
    ) -> Result<Option<HeaderValue>, Error> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let token = read(file).await?;
        if token == *refused {
            return Ok(None);
        }
        *self.lock() = token.clone();
        Ok(Some(token))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HeaderValue> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(file: &Path) -> Result<HeaderValue, Error> {
    let unreadable = |source: io::Error| Error::TokenFile {
        file: file.to_owned(),
        source,
    };
    let text = Zeroizing::new(tokio::fs::read(file).await.map_err(unreadable)?);
    let text = core::str::from_utf8(&text).map_err(|_not_utf8| Error::TokenMalformed)?;
    header(text)
}

fn header(token: &str) -> Result<HeaderValue, Error> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Error::TokenMissing);
    }
    let mut value = HeaderValue::from_str(token).map_err(|_invalid| Error::TokenMalformed)?;
    value.set_sensitive(true);
    Ok(value)
}
