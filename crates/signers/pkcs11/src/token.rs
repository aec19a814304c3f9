use core::{fmt, time::Duration};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use cryptoki::session::Session;
use pki_types::CertificateDer;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Config, Error, KeyReference, Pkcs11Signer, certificate, module::Module, session::LoggedIn,
};

/// A token that is logged in to.
///
/// The login lasts as long as this, or a signer of it. Everything it does is done on threads of
/// its own: a module may take its time, and some never come back.
#[derive(Clone)]
pub struct Token(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) module: Arc<Module>,
    pub(crate) config: Config,
    /// Keeps the login, and is what is not signed in; gone when the token was.
    session: Mutex<Option<LoggedIn>>,
}

impl Token {
    /// Loads the module, finds the token and logs in to it. A PIN that is wrong is tried once.
    ///
    /// # Errors
    /// The module cannot be loaded, has no such token, or the token does not let us in; or it
    /// takes longer than the deadline of the configuration.
    pub async fn open(config: Config) -> Result<Self, Error> {
        within(config.deadline, move || {
            let module = Module::load(&config.module)?;
            let session = LoggedIn::open_again(&module, &config, false)?;
            Ok(Self(Arc::new(Shared {
                module,
                config,
                session: Mutex::new(Some(session)),
            })))
        })
        .await
    }

    /// Finds a key pair, and makes ready to sign with it.
    ///
    /// The public half is the public key object of the same identifier, or the key of the
    /// certificate with that identifier.
    ///
    /// # Errors
    /// There is no such key, or more than one; its kind is not used, it may not sign, or its
    /// public half is not there.
    pub async fn signer(&self, key: &KeyReference) -> Result<Pkcs11Signer, Error> {
        let (shared, wanted) = (Arc::clone(&self.0), key.clone());
        let (public, sessions) = within(self.0.config.deadline, move || {
            let public = shared.work(|session| wanted.public_key(session))?;
            Ok((public, shared.sessions()))
        })
        .await?;
        Pkcs11Signer::new(Arc::clone(&self.0), key.clone(), public, sessions)
    }

    /// Finds the key that Fulcio's flags `--hsm-key-label` and `--hsm-caroot-id` mean.
    ///
    /// Where several keys have the label, it is the one whose identifier is that of the CA
    /// certificate. Where none has the label that Fulcio takes by itself, it is the one labelled
    /// `FulcioCA`, as Fulcio had it before.
    ///
    /// # Errors
    /// As [`signer`](Self::signer).
    pub async fn fulcio_signer(&self, label: &str, id: &[u8]) -> Result<Pkcs11Signer, Error> {
        let named = KeyReference::label(label);
        let (error, other) = match self.signer(&named).await {
            Err(error @ Error::SeveralKeys { .. }) => (error, named.with_id(id)),
            Err(error @ Error::KeyNotFound { .. }) if label == FULCIO_KEY_LABEL => {
                (error, KeyReference::label(OLD_FULCIO_KEY_LABEL))
            }
            answer => return answer,
        };
        match self.signer(&other).await {
            // What was asked for is what the operator knows.
            Err(Error::KeyNotFound { .. }) => Err(error),
            answer => answer,
        }
    }

    /// The certificate that is stored under an identifier (`CKA_ID`), if there is one.
    ///
    /// # Errors
    /// What is stored is no certificate, or the token fails.
    pub async fn certificate(&self, id: &[u8]) -> Result<Option<CertificateDer<'static>>, Error> {
        let (shared, id) = (Arc::clone(&self.0), id.to_vec());
        within(self.0.config.deadline, move || {
            shared.work(|session| certificate::find(session, &id))
        })
        .await
    }

    /// Stores a certificate under an identifier and a label. One that is there already stays.
    ///
    /// # Errors
    /// The token lets nothing be written, or fails.
    pub async fn import_certificate(
        &self,
        id: &[u8],
        label: &str,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), Error> {
        let shared = Arc::clone(&self.0);
        let (id, label) = (id.to_vec(), label.to_owned());
        let certificate = certificate.clone().into_owned();
        within(self.0.config.deadline, move || {
            let writing = LoggedIn::open_again(&shared.module, &shared.config, true)?;
            writing
                .work(|session| certificate::import(session, &id, &label, &certificate))
                .unwrap_or_else(|| Err(shared.gone()))
        })
        .await
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.0.config).finish()
    }
}

impl Shared {
    /// Works in the session that is kept; in a new one when that is lost.
    fn work<T>(&self, work: impl Fn(&Session) -> Result<T, Error>) -> Result<T, Error> {
        let mut kept = self.session();
        if let Some(session) = &*kept {
            match session.work(&work) {
                Some(Err(error)) if error.is_lost() => {}
                None => {}
                Some(answer) => return answer,
            }
            *kept = None;
        }
        let session = kept.insert(LoggedIn::open_again(&self.module, &self.config, false)?);
        session.work(&work).unwrap_or_else(|| Err(self.gone()))
    }

    /// How many sessions are left for signing.
    fn sessions(&self) -> usize {
        use cryptoki::slot::Limit;

        let limit = match &*self.session() {
            Some(session) => session.token().max_session_count(),
            None => Limit::Unavailable,
        };
        let limit = match limit {
            Limit::Max(limit) => usize::try_from(limit).unwrap_or(usize::MAX),
            Limit::Infinite | Limit::Unavailable => usize::MAX,
        };
        let all = self.config.max_sessions.min(limit);
        all.saturating_sub(1).clamp(1, MAX_THREADS)
    }

    /// What is said when the token is lost for the second time in a row.
    pub(crate) fn gone(&self) -> Error {
        Error::TokenNotFound {
            token: self.config.token.clone(),
            others: Vec::new(),
        }
    }

    fn session(&self) -> MutexGuard<'_, Option<LoggedIn>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does on a thread what may take longer than it may.
async fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name("pkcs11".to_owned())
        .spawn(move || drop(answer.send(work())))
        .map_err(Error::Thread)?;
    match timeout(deadline, answered).await {
        Ok(answer) => answer.map_err(|_closed| Error::ThreadEnded)?,
        Err(_elapsed) => Err(Error::Deadline(deadline)),
    }
}

/// The label that Fulcio gives its key and its certificate.
pub const FULCIO_KEY_LABEL: &str = "PKCS11CA";

const OLD_FULCIO_KEY_LABEL: &str = "FulcioCA";
const MAX_THREADS: usize = 16;
