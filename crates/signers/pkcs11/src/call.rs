use core::{error::Error as StdError, fmt};

use cryptoki::error::{Error, RvError};

/// What a PKCS#11 function answered when it did not do what it was asked.
#[derive(Debug)]
pub struct CallError(Error);

/// What such an answer means for the session it came from, and for the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The session, the login, the token or the whole module is gone; another one may do.
    Lost,
    /// The key may not be used so.
    Denied,
    /// There is no room for more at the moment.
    Exhausted,
    /// Nothing that another try would change.
    Other,
}

impl CallError {
    pub(crate) fn new(error: Error) -> Self {
        Self(error)
    }

    /// The return value, where the function gave one.
    pub(crate) fn value(&self) -> Option<RvError> {
        match self.0 {
            Error::Pkcs11(value, _) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn meaning(&self) -> Meaning {
        let Some(value) = self.value() else {
            return Meaning::Other;
        };
        match value {
            RvError::CryptokiNotInitialized
            | RvError::DeviceError
            | RvError::DeviceRemoved
            | RvError::FunctionFailed
            | RvError::GeneralError
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::OperationActive
            | RvError::OperationNotInitialized
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::SlotIdInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::UserNotLoggedIn
            | RvError::VendorDefined(_)
            | RvError::UnknownErrorCode(_) => Meaning::Lost,
            RvError::ActionProhibited
            | RvError::FunctionRejected
            | RvError::KeyFunctionNotPermitted
            | RvError::KeyTypeInconsistent
            | RvError::TokenWriteProtected => Meaning::Denied,
            RvError::DeviceMemory | RvError::HostMemory | RvError::SessionCount => {
                Meaning::Exhausted
            }
            _ => Meaning::Other,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Error::Pkcs11(value, function) => write!(f, "C_{function:?} answered {value:?}"),
            other => write!(f, "{other}"),
        }
    }
}

impl StdError for CallError {}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}
