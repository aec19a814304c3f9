use core::fmt;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::{Error, keys::base64url};

/// The codes that were handed out and not yet exchanged for a token (RFC 6749 section 4.1.2).
#[derive(Default)]
pub(crate) struct Grants(Mutex<HashMap<String, Pending>>);

/// What somebody has agreed to by logging in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    /// SHA-256 of the verifier, in base64url (RFC 7636 section 4.2).
    pub(crate) code_challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) email: String,
}

struct Pending {
    grant: Grant,
    expires: SystemTime,
}

impl Grants {
    /// How long a code can be exchanged. Some clients have a person copy it.
    const LIFETIME: Duration = Duration::from_secs(300);
    /// How many codes wait at most; the one that would expire first makes room.
    const CAPACITY: usize = 256;

    /// Keeps a grant, and makes the code that stands for it.
    pub(crate) fn add(&self, grant: Grant, now: SystemTime) -> Result<String, Error> {
        let mut random = [0; 24];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_unspecified| Error::Generate)?;
        let code = base64url(&random);
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, pending| pending.expires > now);
        if waiting.len() >= Self::CAPACITY {
            let first = waiting.iter().min_by_key(|(_, pending)| pending.expires);
            if let Some(code) = first.map(|(code, _)| code.clone()) {
                waiting.remove(&code);
            }
        }
        let expires = now + Self::LIFETIME;
        waiting.insert(code.clone(), Pending { grant, expires });
        Ok(code)
    }

    /// The grant of a code, which is worth nothing afterwards.
    pub(crate) fn take(&self, code: &str, now: SystemTime) -> Option<Grant> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = waiting.remove(code)?;
        (pending.expires > now).then_some(pending.grant)
    }
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grants")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(email: &str) -> Grant {
        Grant {
            client_id: "sigstore".into(),
            redirect_uri: "http://localhost:1/".into(),
            code_challenge: String::new(),
            nonce: None,
            email: email.into(),
        }
    }

    #[test]
    fn a_code_is_good_once() {
        let grants = Grants::default();
        let code = grants.add(grant("a"), SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(grants.take(&code, SystemTime::UNIX_EPOCH), Some(grant("a")));
        assert_eq!(grants.take(&code, SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn a_code_expires() {
        let grants = Grants::default();
        let code = grants.add(grant("a"), SystemTime::UNIX_EPOCH).unwrap();
        let later = SystemTime::UNIX_EPOCH + Grants::LIFETIME;
        assert_eq!(grants.take(&code, later), None);
    }

    #[test]
    fn the_oldest_code_makes_room() {
        let grants = Grants::default();
        let at = |n: usize| SystemTime::UNIX_EPOCH + Duration::from_millis(n as u64);
        let codes: Vec<_> = (0..=Grants::CAPACITY)
            .map(|n| grants.add(grant("a"), at(n)).unwrap())
            .collect();
        assert_eq!(grants.take(&codes[0], at(0)), None);
        assert!(grants.take(&codes[1], at(0)).is_some());
    }
}
