use std::{io, sync::Arc};

use crate::{
    disk::Disk,
    error::Error,
    frontier::Frontier,
    journal::Journal,
    key::SigningKey,
    publisher::{PUBLIC, Publisher, STATE, grow, public},
    reader::{Checkpoint, FetchError, Source, VerifiedTree},
    state::State,
};

/// Goes on with the log in a folder: reads the end of the journal, or all of it when the tiles do
/// not fit, writes the tiles that are missing, and gives the journal ready to be appended to.
///
/// Nothing is written before the journal is known to hold the tree that was published.
pub(crate) fn recover(
    disk: &Arc<dyn Disk>,
    origin: &str,
    key: &Arc<SigningKey>,
) -> Result<(Journal, Publisher), Error> {
    let mut journal = Journal::open(&**disk)?;
    let path = public("checkpoint");
    let note = disk.read(&path).map_err(Error::disk("read", &path))?;
    let published = match note {
        Some(note) => Checkpoint::verify(&note, origin, key.public())
            .map(Some)
            .map_err(|_| Error::damaged(&path, 0))?,
        None => None,
    };
    let (frontier, start) = match resume(disk, &mut journal, published.as_ref())? {
        Some(found) => found,
        None => {
            tracing::info!("reading the whole journal of the log");
            rebuild(&mut journal, published.as_ref())?
        }
    };
    let (disk, key) = (Arc::clone(disk), Arc::clone(key));
    let mut publisher = Publisher::new(disk, key, origin.to_owned(), frontier, start)?;
    if let Some(published) = published {
        publisher.not_before(published.timestamp());
    }
    while let Some(frame) = journal.next()? {
        publisher.apply(&frame)?;
    }
    journal.trim()?;
    Ok((journal, publisher))
}

/// Starts from what an earlier run remembered; nothing when that does not fit.
fn resume(
    disk: &Arc<dyn Disk>,
    journal: &mut Journal,
    published: Option<&Checkpoint>,
) -> Result<Option<(Frontier, State)>, Error> {
    let bytes = disk.read(STATE).map_err(Error::disk("read", STATE))?;
    let Some(state) = bytes.as_deref().and_then(State::parse) else {
        return Ok(None);
    };
    let size = state.position.size;
    let tile = |name| public_file(&**disk, &format!("{name}")).map_err(Error::disk("read", PUBLIC));
    let frontier = Frontier::load(size, tile)?;
    let Some(frontier) = frontier.filter(|frontier| frontier.root() == state.root) else {
        return Ok(None);
    };
    if let Some(published) = published {
        if published.size() > size {
            return Ok(None);
        }
        let source = PublicFiles(&**disk);
        let tree = VerifiedTree::new(&source, size, state.root);
        match tree.root_at(published.size()) {
            Ok(root) if root == published.root() => {}
            // Whether the log has forked, the journal decides.
            _ => return Ok(None),
        }
    }
    Ok(journal.seek(state.position)?.then_some((frontier, state)))
}

/// Starts from nothing, once the journal is seen to hold what was published.
fn rebuild(
    journal: &mut Journal,
    published: Option<&Checkpoint>,
) -> Result<(Frontier, State), Error> {
    journal.rewind();
    let start = State {
        position: journal.position(),
        root: Frontier::default().root(),
        newest: 0,
    };
    if let Some(published) = published {
        let mut frontier = Frontier::default();
        while frontier.size() < published.size() {
            let Some(frame) = journal.next()? else {
                return Err(Error::Behind {
                    held: frontier.size(),
                    published: published.size(),
                });
            };
            grow(&mut frontier, &frame, |_| {}, |_, _| {})?;
        }
        // Publications end where batches end.
        if frontier.size() != published.size() || frontier.root() != published.root() {
            return Err(Error::Fork {
                size: published.size(),
            });
        }
        journal.rewind();
    }
    Ok((Frontier::default(), start))
}

/// The public files of the folder, read as they lie there.
struct PublicFiles<'a>(&'a dyn Disk);

impl Source for PublicFiles<'_> {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(public_file(self.0, path)?)
    }
}

fn public_file(disk: &dyn Disk, path: &str) -> io::Result<Option<Vec<u8>>> {
    disk.read(&public(path))
}
