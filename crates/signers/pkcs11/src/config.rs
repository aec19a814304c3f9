use core::{fmt, time::Duration};
use std::path::PathBuf;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// How a token is reached and unlocked: what crypto11, the library of Go's Fulcio, keeps in
/// `config/crypto11.conf`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The PKCS#11 module, a shared library (`Path`).
    pub module: PathBuf,
    /// Which of the module's tokens (`TokenLabel`, `TokenSerial` or `SlotNumber`).
    pub token: TokenChoice,
    /// The PIN (`Pin`); a token with a keypad of its own, or that wants no login, needs none.
    pub pin: Option<Zeroizing<String>>,
    /// Who logs in (`UserType`).
    pub user: User,
    /// Whether to log in at all (`LoginNotSupported` turns it off).
    pub login: bool,
    /// How many sessions may be open, at least 2 (`MaxSessions`); one thread signs in each but
    /// the first, sixteen at most.
    pub max_sessions: usize,
    /// How long opening the token and each signature may take, waiting for a session included.
    /// It has no name in crypto11's file.
    pub deadline: Duration,
}

/// What tells one token from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "crypto11 and the tokens know no other"
)]
pub enum TokenChoice {
    /// The label it was given when it was initialized.
    Label(String),
    /// The serial number of the device.
    Serial(String),
    /// The number of the slot that it is in.
    Slot(u64),
}

/// Who logs in to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum User {
    /// The normal user, `CKU_USER`.
    Normal,
    /// The crypto user of Thales, 0x80000001.
    CryptoUser,
}

/// Why a text is not a configuration. The text of the error never has a PIN in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `Path` is not there.
    #[error("\"Path\", the file of the PKCS#11 module, is missing")]
    NoModule,
    /// Nothing says which token is meant.
    #[error("none of \"TokenLabel\", \"TokenSerial\" and \"SlotNumber\" says which token is meant")]
    NoToken,
    /// It is not a JSON object.
    #[error(
        "it is not a JSON object such as {{\"Path\": \"/usr/lib/softhsm/libsofthsm2.so\", \
         \"TokenLabel\": \"fulcio\", \"Pin\": \"…\"}}: line {line}, column {column}"
    )]
    NotJson {
        /// Counted from 1; 0 where it is JSON and no object.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// More than one key says which token is meant.
    #[error("only one of \"TokenLabel\", \"TokenSerial\" and \"SlotNumber\" may be given")]
    SeveralTokens,
    /// A key that crypto11 does not know.
    #[error("{key:?} is not a key of it; there are {}", KEYS.join(", "))]
    UnknownKey {
        /// As it was written.
        key: String,
    },
    /// A key has a value of the wrong kind.
    #[error("{key:?} must be {expected}")]
    Value {
        /// As crypto11 writes it.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl Config {
    /// What says no more than where the token is.
    pub fn new(module: impl Into<PathBuf>, token: TokenChoice) -> Self {
        Self {
            module: module.into(),
            token,
            pin: None,
            user: User::Normal,
            login: true,
            max_sessions: MAX_SESSIONS,
            deadline: DEADLINE,
        }
    }

    /// Reads crypto11's JSON. As in Go, the case of the keys does not matter, and what is empty,
    /// zero or `null` is as if it were not there.
    ///
    /// The keys about AES-GCM have no bearing on signatures, and `PoolWaitTimeout` is part of the
    /// [deadline](Self::deadline): they may be there.
    ///
    /// # Errors
    /// It is no such object, lacks what it needs, or has a key that is unknown.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        let object: Map<String, Value> =
            serde_json::from_slice(json).map_err(|error| ConfigError::NotJson {
                line: error.line(),
                column: error.column(),
            })?;
        let mut fields = Fields::default();
        for (key, value) in object {
            fields.set(&key, value)?;
        }
        fields.config()
    }
}

/// A PIN does not show itself.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("module", &self.module)
            .field("token", &self.token)
            .field("pin", &self.pin.as_ref().map(|_secret| "[hidden]"))
            .field("user", &self.user)
            .field("login", &self.login)
            .field("max_sessions", &self.max_sessions)
            .field("deadline", &self.deadline)
            .finish()
    }
}

impl fmt::Display for TokenChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "token labelled {label:?}"),
            Self::Serial(serial) => write!(f, "token with the serial number {serial:?}"),
            Self::Slot(number) => write!(f, "token in slot {number}"),
        }
    }
}

/// What was read of the file so far.
#[derive(Default)]
struct Fields {
    path: String,
    label: String,
    serial: String,
    slot: Option<u64>,
    pin: Zeroizing<String>,
    user: u64,
    no_login: bool,
    max_sessions: u64,
}

impl Fields {
    fn set(&mut self, key: &str, value: Value) -> Result<(), ConfigError> {
        let known = KEYS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(key));
        let Some(key) = known else {
            return Err(ConfigError::UnknownKey { key: key.into() });
        };
        if value.is_null() {
            return Ok(());
        }
        match key {
            "Path" => self.path = text(key, value)?,
            "TokenLabel" => self.label = text(key, value)?,
            "TokenSerial" => self.serial = text(key, value)?,
            "SlotNumber" => self.slot = Some(number(key, &value)?),
            "Pin" => self.pin = Zeroizing::new(text(key, value)?),
            "UserType" => self.user = number(key, &value)?,
            "MaxSessions" => self.max_sessions = number(key, &value)?,
            "LoginNotSupported" => {
                self.no_login = value.as_bool().ok_or(ConfigError::Value {
                    key,
                    expected: "true or false",
                })?;
            }
            _of_no_bearing => {}
        }
        Ok(())
    }

    fn config(self) -> Result<Config, ConfigError> {
        if self.path.is_empty() {
            return Err(ConfigError::NoModule);
        }
        let label = (!self.label.is_empty()).then_some(TokenChoice::Label(self.label));
        let serial = (!self.serial.is_empty()).then_some(TokenChoice::Serial(self.serial));
        let slot = self.slot.map(TokenChoice::Slot);
        let mut choices = [label, serial, slot].into_iter().flatten();
        let token = choices.next().ok_or(ConfigError::NoToken)?;
        if choices.next().is_some() {
            return Err(ConfigError::SeveralTokens);
        }
        let user = match self.user {
            0 | CKU_USER => User::Normal,
            CKU_CRYPTO_USER => User::CryptoUser,
            _ => {
                return Err(ConfigError::Value {
                    key: "UserType",
                    expected: "1 (the normal user) or 2147483649 (the crypto user of Thales)",
                });
            }
        };
        let max_sessions = match self.max_sessions {
            0 => MAX_SESSIONS,
            1 => {
                return Err(ConfigError::Value {
                    key: "MaxSessions",
                    expected: "at least 2",
                });
            }
            many => usize::try_from(many).unwrap_or(usize::MAX),
        };
        Ok(Config {
            pin: (!self.pin.is_empty()).then_some(self.pin),
            user,
            login: !self.no_login,
            max_sessions,
            ..Config::new(self.path, token)
        })
    }
}

fn text(key: &'static str, value: Value) -> Result<String, ConfigError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(ConfigError::Value {
            key,
            expected: "a string",
        }),
    }
}

fn number(key: &'static str, value: &Value) -> Result<u64, ConfigError> {
    value.as_u64().ok_or(ConfigError::Value {
        key,
        expected: "a whole number that is not negative",
    })
}

/// Everything that crypto11 has a field for.
const KEYS: [&str; 12] = [
    "Path",
    "TokenLabel",
    "TokenSerial",
    "SlotNumber",
    "Pin",
    "UserType",
    "LoginNotSupported",
    "MaxSessions",
    "PoolWaitTimeout",
    "UseGCMIVFromHSM",
    "GCMIVLength",
    "GCMIVFromHSMControl",
];

const CKU_USER: u64 = 1;
const CKU_CRYPTO_USER: u64 = 0x8000_0001;

/// One that stays open, and one for each of four threads.
const MAX_SESSIONS: usize = 5;
/// A request has 12 seconds, and may need two signatures.
const DEADLINE: Duration = Duration::from_secs(5);
