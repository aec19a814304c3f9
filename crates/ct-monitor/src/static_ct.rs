use fulcio_ct_log::reader::{Checkpoint, Error as ReadError, Reader, Source};

use crate::{
    frontier::Frontier, head::Head, log_view::LogView, logged_entry::LoggedEntry,
    tile_cache::TileCache,
};

/// Where the checkpoint is.
pub(crate) const HEAD: &str = "checkpoint";

/// Proves with the log's tiles that the tree of `new` begins with the tree of `old`.
pub(crate) fn consistency<S: Source>(
    log: &LogView<S>,
    old: &Head,
    new: &Head,
) -> Result<(), ReadError> {
    let (old, new) = (checkpoint(log, old)?, checkpoint(log, new)?);
    reader(log).consistency(&old, &new).map(drop)
}

/// The entries from the end of `seen` to the end of their data tile, and the proof from the log's
/// tiles that they are the next in the tree of `head`.
pub(crate) fn next<S: Source>(
    log: &LogView<S>,
    head: &Head,
    seen: &Frontier,
) -> Result<Vec<LoggedEntry>, ReadError> {
    let (reader, checkpoint) = (reader(log), checkpoint(log, head)?);
    let tile = reader.entries(&checkpoint, seen.size())?;
    let leaves = (seen.size()..).map_while(|index| tile.leaf(index));
    let entries: Vec<_> = leaves.map(|leaf| LoggedEntry::of_tile(&leaf)).collect();
    let (last, others) = entries.split_last().ok_or(ReadError::Inconsistent)?;
    let mut before = seen.clone();
    for entry in others {
        before.push(entry.hash);
    }
    let path = reader.inclusion(&checkpoint, before.size())?.path;
    let proven = before.is_followed_by(last.hash, &path, head.size, &head.root);
    proven.then_some(entries).ok_or(ReadError::Inconsistent)
}

fn reader<S: Source>(log: &LogView<S>) -> Reader<&TileCache<S>> {
    Reader::new(&log.source, &log.origin, log.key.clone())
}

fn checkpoint<S>(log: &LogView<S>, head: &Head) -> Result<Checkpoint, ReadError> {
    Ok(Checkpoint::verify(
        head.raw.as_bytes(),
        &log.origin,
        &log.key,
    )?)
}
