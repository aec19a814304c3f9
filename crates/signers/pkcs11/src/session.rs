use std::sync::Arc;

use cryptoki::{session::Session, slot::TokenInfo};

use crate::{Config, Error, module::Module};

/// A session that is logged in, closed when it is dropped.
///
/// It is good for one epoch of its module only; afterwards its handle may be somebody else's.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    module: Arc<Module>,
    epoch: u64,
    session: Option<Session>,
    token: TokenInfo,
}

impl LoggedIn {
    pub(crate) fn open(module: &Arc<Module>, config: &Config, write: bool) -> Result<Self, Error> {
        let (opened, answer) = {
            let epoch = module.enter();
            let (slot, token) = module.slot(&config.token)?;
            let session = module.session(slot, write)?;
            let answer = module.log_in(&session, slot, config);
            let opened = Self {
                module: Arc::clone(module),
                epoch: epoch.number(),
                session: Some(session),
                token,
            };
            (opened, answer)
        };
        answer.map(|()| opened)
    }

    /// As [`open`](Self::open), and once more with the module begun anew when the token is not
    /// there, as after it was taken out and put back.
    pub(crate) fn open_again(
        module: &Arc<Module>,
        config: &Config,
        write: bool,
    ) -> Result<Self, Error> {
        let seen = module.enter().number();
        match Self::open(module, config, write) {
            Err(error) if error.is_lost() => {
                module.restart(seen)?;
                // What the token says now is of more use than what it said then.
                Self::open(module, config, write)
            }
            answer => answer,
        }
    }

    /// What the token said of itself when the session was opened.
    pub(crate) fn token(&self) -> &TokenInfo {
        &self.token
    }

    /// Works in the session; nothing when the module was begun anew since.
    pub(crate) fn work<T>(&self, work: impl FnOnce(&Session) -> T) -> Option<T> {
        let epoch = self.module.enter();
        let session = self.session.as_ref()?;
        (epoch.number() == self.epoch).then(|| work(session))
    }
}

impl Drop for LoggedIn {
    fn drop(&mut self) {
        let epoch = self.module.enter();
        if epoch.number() == self.epoch
            && let Some(session) = self.session.take()
        {
            // It may be gone with its token.
            drop(session.close());
        }
    }
}
