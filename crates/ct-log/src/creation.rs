use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use pki_types::PrivatePkcs8KeyDer;

use crate::{
    disk::Disk,
    durable::Durable,
    error::Error,
    journal::{JOURNAL, Journal},
    key::SigningKey,
    manifest::Manifest,
    reader::is_origin,
};

/// Gives origin and key of the log on a disk, after making the log when there is none.
///
/// The manifest is written last: a folder without one holds no log, whatever else a crash left.
pub(crate) fn open_or_create(
    disk: &Arc<dyn Disk>,
    origin: Option<String>,
    key: Option<&PrivatePkcs8KeyDer<'static>>,
) -> Result<(String, SigningKey), Error> {
    let manifest = disk.read(MANIFEST).map_err(Error::disk("read", MANIFEST))?;
    let given = key.map(SigningKey::from_pkcs8).transpose()?;
    let Some(manifest) = manifest else {
        return create(disk, origin, given);
    };
    let manifest = Manifest::parse(&manifest).ok_or_else(|| Error::damaged(MANIFEST, 0))?;
    if let Some(given) = origin.filter(|origin| *origin != manifest.origin) {
        return Err(Error::OriginMismatch {
            created: manifest.origin,
            given,
        });
    }
    let key = match given {
        Some(key) => key,
        None => stored_key(&**disk)?.ok_or(Error::Key)?,
    };
    if key.public().id() != manifest.log_id {
        return Err(Error::KeyMismatch);
    }
    Ok((manifest.origin, key))
}

fn create(
    disk: &Arc<dyn Disk>,
    origin: Option<String>,
    given: Option<SigningKey>,
) -> Result<(String, SigningKey), Error> {
    let origin = origin.ok_or_else(|| Error::NoLog {
        folder: PathBuf::new(),
    })?;
    if !is_origin(&origin) {
        return Err(Error::Origin { origin });
    }
    if Journal::has_entries(&**disk)? {
        return Err(Error::damaged(MANIFEST, 0));
    }
    let mut files = Durable::new(Arc::clone(disk)).map_err(Error::disk("remove", "staging"))?;
    let key = match given {
        Some(key) => key,
        None => match stored_key(&**disk)? {
            Some(key) => key,
            None => {
                let (key, pem) = SigningKey::generate()?;
                files
                    .put_secret(KEY, pem.as_bytes())
                    .map_err(Error::disk("write", KEY))?;
                key
            }
        },
    };
    let mut salt = [0; 32];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| Error::Sign)?;
    Journal::create(&**disk, salt).map_err(Error::disk("create", JOURNAL))?;
    disk.sync_folder("").map_err(Error::disk("sync", "."))?;

    let manifest = Manifest {
        origin,
        log_id: key.public().id(),
    };
    files
        .put(MANIFEST, manifest.to_text().as_bytes())
        .and_then(|()| files.commit())
        .map_err(Error::disk("write", MANIFEST))?;
    Ok((manifest.origin, key))
}

fn stored_key(disk: &dyn Disk) -> Result<Option<SigningKey>, Error> {
    let pem = disk.read(KEY).map_err(Error::disk("read", KEY))?;
    pem.map(zeroize::Zeroizing::new)
        .map(|pem| SigningKey::from_pem(&pem))
        .transpose()
}

const MANIFEST: &str = "log";
const KEY: &str = "key.pem";
