use core::time::Duration;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, TryLockError},
    thread,
    time::Instant,
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Pkcs11Error, RvError},
    session::{Session, SessionState, UserType},
    slot::{Slot, TokenInfo},
    types::AuthPin,
};
use zeroize::Zeroizing;

use crate::{CallError, Config, Error, TokenChoice, User};

/// A module that was loaded and initialized, once for the whole process.
///
/// PKCS#11 itself is global: a module is initialized once for each process, and who is logged in to
/// a token is so in all its sessions. Two that each had a module of their own would log each
/// other out. A module stays until the process ends, because others may be in it.
#[derive(Debug)]
pub(crate) struct Module {
    pkcs11: Pkcs11,
    /// Held for reading while the module is called, for writing while it begins anew.
    epoch: RwLock<Epoch>,
    /// The PINs that were wrong, each with the serial number of its token. Held during each login.
    refused: Mutex<Vec<(String, Zeroizing<String>)>>,
}

/// The time between two initializations, in which handles mean the same.
#[derive(Debug)]
pub(crate) struct Epoch {
    number: u64,
    begun: Instant,
}

static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

impl Module {
    /// Loads the module, or finds it loaded.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, Error> {
        // A bare name, which the loader looks for in its own places, has no such path.
        let key = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut loaded = lock(&LOADED);
        if let Some(module) = loaded.get(&key) {
            return Ok(Arc::clone(module));
        }
        let failed = |source: Pkcs11Error| Error::Module {
            path: path.to_owned(),
            source: CallError::new(source),
        };
        let pkcs11 = Pkcs11::new(path).map_err(failed)?;
        initialize(&pkcs11).map_err(failed)?;
        let module = Arc::new(Self {
            pkcs11,
            epoch: RwLock::new(Epoch {
                number: 0,
                begun: Instant::now(),
            }),
            refused: Mutex::default(),
        });
        loaded.insert(key, Arc::clone(&module));
        Ok(module)
    }

    /// Keeps the module as it is until the guard is dropped; whoever calls the module holds one,
    /// and each thread no more than one.
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, Epoch> {
        self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins anew, as many modules must be told to before they see a token that was put back.
    ///
    /// It does nothing when another thread has done so since `seen`, or within the last second; and
    /// gives up when a call that does not return is in its way.
    pub(crate) fn restart(&self, seen: u64) -> Result<(), Error> {
        let asked = Instant::now();
        let mut epoch = loop {
            match self.epoch.try_write() {
                Ok(epoch) => break epoch,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if asked.elapsed() > IN_THE_WAY => {
                    return Err(Error::Deadline(IN_THE_WAY));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
            }
        };
        if epoch.number != seen || epoch.begun.elapsed() < BETWEEN_RESTARTS {
            return Ok(());
        }
        // It may be finalized already, and what counts is that it can be initialized.
        drop(self.pkcs11.clone().finalize());
        epoch.number += 1;
        epoch.begun = Instant::now();
        Ok(initialize(&self.pkcs11)?)
    }

    /// The slot of a token.
    pub(crate) fn slot(&self, token: &TokenChoice) -> Result<(Slot, TokenInfo), Error> {
        let mut others = Vec::new();
        let mut found = Vec::new();
        for slot in self.pkcs11.get_slots_with_token()? {
            let info = self.pkcs11.get_token_info(slot)?;
            let fits = match token {
                TokenChoice::Label(label) => info.label() == label,
                TokenChoice::Serial(serial) => info.serial_number() == serial,
                TokenChoice::Slot(number) => slot.id() == *number,
            };
            if fits {
                found.push((slot, info));
            } else if info.token_initialized() {
                others.push(format!("{:?}", info.label()));
            }
        }
        if found.len() > 1 {
            return Err(Error::SeveralTokens {
                token: token.clone(),
                count: found.len(),
            });
        }
        found.pop().ok_or_else(|| Error::TokenNotFound {
            token: token.clone(),
            others,
        })
    }

    /// Opens a session, which is closed by whoever has it, and not when it is dropped.
    pub(crate) fn session(&self, slot: Slot, write: bool) -> Result<Session, Error> {
        Ok(if write {
            self.pkcs11.open_rw_session_no_drop(slot)?
        } else {
            self.pkcs11.open_ro_session_no_drop(slot)?
        })
    }

    /// Logs in, unless the token is logged in to. A PIN that was wrong is never tried again.
    pub(crate) fn log_in(
        &self,
        session: &Session,
        slot: Slot,
        config: &Config,
    ) -> Result<(), Error> {
        if !config.login {
            return Ok(());
        }
        let mut refused = lock(&self.refused);
        let state = session.get_session_info()?.session_state();
        if matches!(state, SessionState::RoUser | SessionState::RwUser) {
            return Ok(());
        }
        // Read again: another program may have used up tries since.
        let info = self.pkcs11.get_token_info(slot)?;
        let user = match config.user {
            User::Normal => UserType::User,
            User::CryptoUser => UserType::VendorExtension(CKU_CRYPTO_USER),
        };
        let answer = match &config.pin {
            None if info.protected_authentication_path() => session.login(user, None),
            None if !info.login_required() => return Ok(()),
            None => return Err(Error::PinMissing),
            Some(pin) => {
                let tried = |(serial, wrong): &(String, Zeroizing<String>)| {
                    serial == info.serial_number() && wrong == pin
                };
                if refused.iter().any(tried) {
                    return Err(Error::PinRefused);
                }
                if info.user_pin_locked() {
                    return Err(Error::PinLocked);
                }
                if info.user_pin_final_try() {
                    return Err(Error::PinLastTry);
                }
                session.login(user, Some(&AuthPin::from(pin.as_str())))
            }
        };
        let Err(error) = answer else { return Ok(()) };
        let error = CallError::new(error);
        match error.value() {
            Some(RvError::UserAlreadyLoggedIn) => Ok(()),
            Some(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange) => {
                if let Some(pin) = &config.pin {
                    refused.push((info.serial_number().to_owned(), pin.clone()));
                }
                Err(Error::PinRefused)
            }
            Some(RvError::PinLocked) => Err(Error::PinLocked),
            // These say that it never came to the PIN, so that it may be tried in a new session.
            Some(
                RvError::CryptokiNotInitialized
                | RvError::DeviceRemoved
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::TokenNotPresent,
            ) => Err(Error::Call(error)),
            _ => Err(Error::Login(error)),
        }
    }
}

impl Epoch {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

fn initialize(pkcs11: &Pkcs11) -> Result<(), Pkcs11Error> {
    match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // By someone else in this process.
        Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        other => other,
    }
}

/// What a thread that panicked left behind is as good as ever: nothing here is half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const CKU_CRYPTO_USER: u32 = 0x8000_0001;
const BETWEEN_RESTARTS: Duration = Duration::from_secs(1);
const IN_THE_WAY: Duration = Duration::from_millis(200);
