use std::{path::PathBuf, sync::Arc};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::{
    disk::{Disk, ReadDisk},
    durable::Durable,
    error::Error,
    identity::Identity,
    journal::{JOURNAL, Journal},
    key::SigningKey,
    manifest::Manifest,
    note_key::NoteSigner,
    options::{NoteKey, Options},
    reader::is_origin,
};

/// Says who the log on a disk is, after making the log when there is none.
///
/// The manifest is written last: a folder without one holds no log, whatever else a crash left.
pub(crate) fn open_or_create(disk: &Arc<dyn Disk>, options: &Options) -> Result<Identity, Error> {
    let manifest = disk.read(MANIFEST).map_err(Error::disk("read", MANIFEST))?;
    let given = options
        .key
        .as_ref()
        .map(SigningKey::from_pkcs8)
        .transpose()?;
    let (origin, key) = match manifest {
        Some(manifest) => existing(&**disk, &manifest, options.origin.as_deref(), given)?,
        None => create(disk, options.origin.clone(), given)?,
    };
    Ok(Identity {
        origin,
        key: Arc::new(key),
        note: note_signer(disk, &options.note_key)?.map(Arc::new),
    })
}

fn existing(
    disk: &dyn Disk,
    manifest: &[u8],
    origin: Option<&str>,
    given: Option<SigningKey>,
) -> Result<(String, SigningKey), Error> {
    let manifest = Manifest::parse(manifest).ok_or_else(|| Error::damaged(MANIFEST, 0))?;
    if let Some(given) = origin.filter(|origin| *origin != manifest.origin) {
        return Err(Error::OriginMismatch {
            created: manifest.origin,
            given: given.to_owned(),
        });
    }
    let key = match given {
        Some(key) => key,
        None => stored_key(disk)?.ok_or(Error::Key)?,
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

/// The key of the log that is in its folder.
pub(crate) fn stored_key(disk: &(impl ReadDisk + ?Sized)) -> Result<Option<SigningKey>, Error> {
    let pem = disk.read(KEY).map_err(Error::disk("read", KEY))?;
    pem.map(Zeroizing::new)
        .map(|pem| SigningKey::from_pem(&pem))
        .transpose()
}

/// The key of second signatures that is in the folder.
pub(crate) fn stored_note_key(
    disk: &(impl ReadDisk + ?Sized),
) -> Result<Option<NoteSigner>, Error> {
    let pem = disk.read(NOTE_KEY).map_err(Error::disk("read", NOTE_KEY))?;
    pem.map(Zeroizing::new)
        .map(|pem| NoteSigner::from_pem(&pem))
        .transpose()
}

fn note_signer(disk: &Arc<dyn Disk>, wanted: &NoteKey) -> Result<Option<NoteSigner>, Error> {
    match wanted {
        NoteKey::None => return Ok(None),
        NoteKey::Given(key) => return NoteSigner::from_pkcs8(key).map(Some),
        NoteKey::Found => return stored_note_key(&**disk),
        NoteKey::Kept => {}
    }
    if let Some(signer) = stored_note_key(&**disk)? {
        return Ok(Some(signer));
    }
    let (signer, pem) = NoteSigner::generate()?;
    Durable::new(Arc::clone(disk))
        .and_then(|mut files| {
            files.put_secret(NOTE_KEY, pem.as_bytes())?;
            files.commit()
        })
        .map_err(Error::disk("write", NOTE_KEY))?;
    Ok(Some(signer))
}

/// The file that says that a folder holds a log.
pub(crate) const MANIFEST: &str = "log";

/// The file with the log's private key.
pub(crate) const KEY: &str = "key.pem";

/// The file with the private key of second signatures (PKCS#8 in PEM).
pub(crate) const NOTE_KEY: &str = "note-key.pem";
