use core::{fmt, str::FromStr};

use crate::Error;

/// Who issues: a pool of authorities, any of which may, or one of them.
///
/// It is written as Fulcio's `--gcp_private_ca_parent` is,
/// `projects/PROJECT/locations/LOCATION/caPools/POOL`, with `/certificateAuthorities/CA` behind it
/// for one authority of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parent {
    pool: String,
    authority: Option<String>,
}

impl Parent {
    /// The resource name of the pool.
    #[must_use]
    pub fn pool(&self) -> &str {
        &self.pool
    }

    /// The ID of the one authority that issues; `None` where any of the pool may.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }
}

impl FromStr for Parent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::Parent {
            parent: text.to_owned(),
        })
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pool)?;
        match &self.authority {
            Some(authority) => write!(f, "/certificateAuthorities/{authority}"),
            None => Ok(()),
        }
    }
}

fn read(text: &str) -> Option<Parent> {
    let parts: Vec<&str> = text.split('/').collect();
    let (pool, authority) = match parts.as_slice() {
        [pool @ .., "certificateAuthorities", authority] if is_id(authority) => {
            (pool, Some((*authority).to_owned()))
        }
        pool => (pool, None),
    };
    let ["projects", project, "locations", location, "caPools", id] = pool else {
        return None;
    };
    (is_project(project) && is_id(location) && is_id(id)).then(|| Parent {
        pool: pool.join("/"),
        authority,
    })
}

/// What Google lets a pool, an authority or a certificate be called.
fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    (1..=63).contains(&text.len())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A number or an ID, which an older kind of project has a domain and a colon before.
fn is_project(text: &str) -> bool {
    let mut bytes = text.bytes();
    !text.is_empty()
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
        && !text.starts_with('.')
}
