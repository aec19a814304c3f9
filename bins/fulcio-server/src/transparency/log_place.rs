use core::{error::Error as StdError, fmt};
use std::path::PathBuf;

use fulcio_ct_client::{HttpLog, HttpLogConfig, HttpLogError, LogKey};
use fulcio_issuance::{Clock as _, SystemClock};

/// Where a log is: the value of `--ct-log-url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogPlace {
    Embedded(PathBuf),
    External(String),
    None,
}

impl LogPlace {
    pub(super) fn parse(text: &str) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        if text.is_empty() {
            return Ok(Self::None);
        }
        match text.strip_prefix(EMBEDDED) {
            Some("") => Err("it needs a folder, as in embedded:/var/lib/fulcio/log".into()),
            Some(folder) => Ok(Self::Embedded(folder.into())),
            None => match HttpLog::new(&http_log(text, None)) {
                Err(error @ (HttpLogError::Url { .. } | HttpLogError::UrlShape)) => {
                    Err(error.into())
                }
                // What else is missing comes from other flags.
                _ => Ok(Self::External(text.to_owned())),
            },
        }
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(folder) => write!(f, "{EMBEDDED}{}", folder.display()),
            Self::External(url) => f.write_str(url),
            Self::None => Ok(()),
        }
    }
}

const EMBEDDED: &str = "embedded:";

/// A log behind HTTP whose timestamps are held against the clock of this machine.
pub(super) fn http_log(url: &str, key: Option<LogKey>) -> HttpLogConfig {
    HttpLogConfig::new(url, key, || SystemClock.now())
}
