use std::{fs::File, io, os::unix::fs::FileExt as _};

/// What lines are written to: a file, or in tests something that fails when it is told to.
pub(crate) trait Medium {
    /// Writes all of `bytes` at this offset; after an error any part of them may be there.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts off what is after `length`.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Returns when what was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// How long it is now.
    fn length(&self) -> io::Result<u64>;
}

impl Medium for File {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// Appends batches of whole lines, so that after an error nothing stays of a batch that failed.
#[derive(Debug)]
pub(crate) struct Tail<M> {
    medium: M,
    /// Where the last whole batch ends.
    end: u64,
    /// Whether something may be after the end that has to go first.
    is_dirty: bool,
}

impl<M: Medium> Tail<M> {
    /// Goes on after `end`.
    pub(crate) fn new(medium: M, end: u64) -> Self {
        Self {
            medium,
            end,
            is_dirty: true,
        }
    }

    /// What is written to.
    pub(crate) fn medium(&self) -> &M {
        &self.medium
    }

    /// Where the last whole batch ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Appends a batch: all of it, or nothing once a later call succeeds.
    pub(crate) fn append(&mut self, batch: &[u8], sync: bool) -> io::Result<()> {
        self.clean()?;
        if self.medium.length()? != self.end {
            return Err(io::Error::other(
                "somebody else has changed the length of the file",
            ));
        }
        self.is_dirty = true;
        let appended = self.try_append(batch, sync);
        if appended.is_err() {
            // What cannot be cut off now is cut off before the next batch.
            let _cut = self.clean();
        }
        appended
    }

    fn try_append(&mut self, batch: &[u8], sync: bool) -> io::Result<()> {
        self.medium.write_at(batch, self.end)?;
        if sync {
            self.medium.sync()?;
        }
        self.end += batch.len() as u64;
        self.is_dirty = false;
        Ok(())
    }

    /// Cuts off what a failed batch may have left.
    fn clean(&mut self) -> io::Result<()> {
        if self.is_dirty {
            if self.medium.length()? > self.end {
                self.medium.cut(self.end)?;
            }
            self.is_dirty = false;
        }
        Ok(())
    }

    /// Returns when all batches are on the disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.medium.sync()
    }
}
