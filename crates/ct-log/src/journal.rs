use std::io;

use aws_lc_rs::digest;

use crate::{
    disk::{AppendFile, Disk, ReadFile},
    error::Error,
    leaf::{Hash, TileLeaf, hash_of, sha256},
};

/// The name of its file.
pub(crate) const JOURNAL: &str = "journal";

/// The append-only file that is the log: everything else can be made from it.
///
/// It is a header (a line of text, 32 random bytes, a SHA-256 of both) and then one frame a batch:
/// four bytes of magic, the payload's length (u32), the index of the first entry in it (u64), the
/// hash that ends the frame or header before it, the payload, and a SHA-256 over the random bytes
/// and all of the frame before. A frame is written and synced before the next one is begun. So at most the last frame
/// can be torn, and a bad frame with a good one behind it is damage. The random bytes keep a
/// submitter from hiding a frame inside a certificate.
#[derive(Debug)]
pub(crate) struct Journal<F: ?Sized = dyn AppendFile> {
    file: Box<F>,
    salt: Hash,
    /// Where the next frame goes.
    end: Position,
}

/// A place between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// The hash of the frame, or the header, before it.
    pub(crate) chain: Hash,
    /// Entries before it.
    pub(crate) size: u64,
}

/// One batch of entries.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    payload: Vec<u8>,
    /// Where the frame begins, in bytes.
    pub(crate) start: u64,
    /// Where the frame ends.
    pub(crate) end: Position,
}

/// What is in a frame's payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    /// A certificate that entries refer to, in DER; it comes before the first that does.
    Issuer(&'a [u8]),
    /// An entry, decoded, and as it was encoded.
    Leaf(TileLeaf<'a>, &'a [u8]),
}

/// The payload of a frame in the making.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    bytes: Vec<u8>,
    leaves: u64,
}

impl Payload {
    pub(crate) fn push_issuer(&mut self, der: &[u8]) {
        self.push(ISSUER, |out| out.extend(der));
    }

    /// Adds the entry that `encode` appends to the bytes that it is given.
    pub(crate) fn push_leaf(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.push(LEAF, encode);
        self.leaves += 1;
    }

    fn push(&mut self, kind: u8, encode: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.extend([kind, 0, 0, 0, 0]);
        let start = self.bytes.len();
        encode(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - start).expect("entries are bounded");
        self.bytes[start - 4..start].copy_from_slice(&length.to_be_bytes());
    }

    pub(crate) fn leaves(&self) -> u64 {
        self.leaves
    }
}

impl Journal {
    /// Makes an empty one. The name is durable once the folder is synced.
    pub(crate) fn create(disk: &dyn Disk, salt: Hash) -> io::Result<()> {
        disk.remove(JOURNAL)?;
        let mut file = disk.append(JOURNAL, true)?;
        file.append(&[HEADING, &salt, &header_hash(&salt)].concat())?;
        file.sync()
    }

    /// Whether there is one with anything in it.
    pub(crate) fn has_entries(disk: &dyn Disk) -> Result<bool, Error> {
        match disk.append(JOURNAL, false) {
            Ok(file) => {
                let size = file.size().map_err(Error::disk("read", JOURNAL))?;
                Ok(size > HEADER as u64)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::disk("open", JOURNAL)(error)),
        }
    }

    /// Opens it. Nothing has been read but the header: [`seek`](Self::seek) and
    /// [`next`](Self::next) come first, and appending afterwards.
    pub(crate) fn open(disk: &dyn Disk) -> Result<Self, Error> {
        let file = disk
            .append(JOURNAL, false)
            .map_err(Error::disk("open", JOURNAL))?;
        Self::of(file)
    }

    /// Cuts off what is behind the last frame that was read: a torn one, and nobody was told of
    /// what was in it. Then makes durable what an earlier run may have left in the page cache.
    pub(crate) fn trim(&mut self) -> Result<(), Error> {
        let bytes = self.behind()?;
        if bytes > 0 {
            tracing::warn!(
                bytes,
                "cutting a torn batch off the end of the log's journal"
            );
            self.file
                .truncate(self.end.offset)
                .map_err(Error::disk("truncate", JOURNAL))?;
        }
        self.file.sync().map_err(Error::disk("sync", JOURNAL))
    }

    /// Appends a batch and makes it durable.
    ///
    /// # Errors
    ///
    /// When this fails, nobody knows what is on the disk: the journal must be opened anew.
    pub(crate) fn append(&mut self, payload: Payload) -> io::Result<Frame> {
        let Payload { bytes, leaves } = payload;
        let head = frame_head(bytes.len(), self.end);
        let chain = self.hash(&head, &bytes);
        let frame = [&head[..], &bytes, &chain].concat();
        self.file.append(&frame)?;
        self.file.sync()?;
        let start = self.end.offset;
        self.end = Position {
            offset: start + frame.len() as u64,
            chain,
            size: self.end.size + leaves,
        };
        Ok(Frame {
            payload: bytes,
            start,
            end: self.end,
        })
    }
}

impl<F: ReadFile + ?Sized> Journal<F> {
    /// The journal that a file holds.
    pub(crate) fn of(file: Box<F>) -> Result<Self, Error> {
        let mut header = [0; HEADER];
        if file.size().map_err(Error::disk("read", JOURNAL))? < HEADER as u64 {
            return Err(Error::damaged(JOURNAL, 0));
        }
        file.read_at(&mut header, 0)
            .map_err(Error::disk("read", JOURNAL))?;
        let parts = header
            .strip_prefix(HEADING)
            .and_then(|rest| rest.split_first_chunk());
        match parts {
            Some((salt, hash)) if *hash == header_hash(salt) => Ok(Self {
                file,
                salt: *salt,
                end: Position::first(salt),
            }),
            _ => Err(Error::damaged(JOURNAL, 0)),
        }
    }

    /// Where the next frame is read from, or written to.
    pub(crate) fn position(&self) -> Position {
        self.end
    }

    /// Goes back to the first frame.
    pub(crate) fn rewind(&mut self) {
        self.end = Position::first(&self.salt);
    }

    /// Goes to a place that an earlier run remembered; false, and nothing done, when no frame of
    /// this journal ends there.
    pub(crate) fn seek(&mut self, position: Position) -> Result<bool, Error> {
        let read = Error::disk("read", JOURNAL);
        let size = self.file.size().map_err(&read)?;
        if !(HEADER as u64..=size).contains(&position.offset) {
            return Ok(false);
        }
        let mut chain = [0; 32];
        self.file
            .read_at(&mut chain, position.offset - 32)
            .map_err(read)?;
        let found = chain == position.chain;
        if found {
            self.end = position;
        }
        Ok(found)
    }

    /// Reads the next frame; nothing at the end, or where a torn last frame begins.
    ///
    /// # Errors
    ///
    /// A frame is damaged that cannot be the torn last one.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Error> {
        let size = self.file.size().map_err(Error::disk("read", JOURNAL))?;
        let offset = self.end.offset;
        let rest = size - offset;
        if rest == 0 {
            return Ok(None);
        }
        if let Some(frame) = self.frame_at(self.end, rest)? {
            self.end = frame.end;
            return Ok(Some(frame));
        }
        if rest > MAX_FRAME as u64 || self.frame_behind(offset, rest)? {
            return Err(Error::damaged(JOURNAL, offset));
        }
        Ok(None)
    }

    /// Bytes behind the last frame that was read.
    pub(crate) fn behind(&self) -> Result<u64, Error> {
        let size = self.file.size().map_err(Error::disk("read", JOURNAL))?;
        Ok(size.saturating_sub(self.end.offset))
    }

    /// The frame that begins at `start`, if it is good; `rest` is how many bytes follow.
    fn frame_at(&self, start: Position, rest: u64) -> Result<Option<Frame>, Error> {
        let read = Error::disk("read", JOURNAL);
        let mut head = [0; FRAME_HEAD];
        if rest < (FRAME_HEAD + 32) as u64 {
            return Ok(None);
        }
        self.file.read_at(&mut head, start.offset).map_err(&read)?;
        let Some(length) = payload_length(&head) else {
            return Ok(None);
        };
        if rest < (FRAME_HEAD + length + 32) as u64 {
            return Ok(None);
        }
        let mut payload = vec![0; length + 32];
        let at = start.offset + FRAME_HEAD as u64;
        self.file.read_at(&mut payload, at).map_err(&read)?;
        let stored = payload.split_off(length);
        let chain = self.hash(&head, &payload);
        if stored != chain || head != frame_head(length, start) {
            return Ok(None);
        }
        let mut frame = Frame {
            payload,
            start: start.offset,
            end: Position {
                offset: at + length as u64 + 32,
                chain,
                size: start.size,
            },
        };
        let leaves = frame
            .records()
            .filter(|r| matches!(r, Ok(Record::Leaf(..))));
        frame.end.size += leaves.count() as u64;
        Ok(Some(frame))
    }

    /// Whether a good frame begins anywhere behind `offset`.
    fn frame_behind(&self, offset: u64, rest: u64) -> Result<bool, Error> {
        let mut bytes = vec![0; usize::try_from(rest).unwrap_or(MAX_FRAME)];
        self.file
            .read_at(&mut bytes, offset)
            .map_err(Error::disk("read", JOURNAL))?;
        // The frame before it, however damaged, is at least a head and a hash long.
        Ok((FRAME_HEAD + 32..bytes.len()).any(|start| {
            let Some((head, body)) = bytes[start..].split_first_chunk() else {
                return false;
            };
            payload_length(head)
                .and_then(|length| Some((body.get(..length)?, body.get(length..length + 32)?)))
                .is_some_and(|(payload, hash)| self.hash(head, payload) == hash)
        }))
    }

    fn hash(&self, head: &[u8; FRAME_HEAD], payload: &[u8]) -> Hash {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.salt);
        context.update(head);
        context.update(payload);
        hash_of(&context.finish())
    }
}

impl Frame {
    /// What is in it, in order. After an error, which only a mistake in this crate can cause,
    /// nothing more comes.
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<Record<'_>, Malformed>> {
        let mut rest = self.payload.as_slice();
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let record = Record::parse(&mut rest).ok_or(Malformed);
            if record.is_err() {
                rest = &[];
            }
            Some(record)
        })
    }

    /// Bytes that it keeps in memory.
    pub(crate) fn weight(&self) -> usize {
        self.payload.len()
    }
}

impl<'a> Record<'a> {
    fn parse(rest: &mut &'a [u8]) -> Option<Self> {
        let ([kind], after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (content, after) = after.split_at_checked(length)?;
        *rest = after;
        match *kind {
            ISSUER => Some(Self::Issuer(content)),
            LEAF => match TileLeaf::parse(content)? {
                (leaf, []) => Some(Self::Leaf(leaf, content)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Position {
    fn first(salt: &Hash) -> Self {
        Self {
            offset: HEADER as u64,
            chain: header_hash(salt),
            size: 0,
        }
    }
}

/// A frame whose hash is right holds something that this version does not write.
#[derive(Debug)]
pub(crate) struct Malformed;

fn frame_head(length: usize, start: Position) -> [u8; FRAME_HEAD] {
    let length = u32::try_from(length).expect("batches are bounded");
    let mut head = [0; FRAME_HEAD];
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&length.to_be_bytes());
    head[8..16].copy_from_slice(&start.size.to_be_bytes());
    head[16..].copy_from_slice(&start.chain);
    head
}

fn header_hash(salt: &Hash) -> Hash {
    sha256(&[HEADING, salt].concat())
}

fn payload_length(head: &[u8; FRAME_HEAD]) -> Option<usize> {
    let length = head.strip_prefix(&MAGIC)?.first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (length <= MAX_PAYLOAD).then_some(length)
}

const HEADING: &[u8] = b"fulcio-ct-log journal 1\n";
const HEADER: usize = HEADING.len() + 32 + 32;
const MAGIC: [u8; 4] = *b"FCTB";
const FRAME_HEAD: usize = 4 + 4 + 8 + 32;
const ISSUER: u8 = 1;
const LEAF: u8 = 2;

/// The longest payload, in bytes; the sequencer closes a batch well before.
pub(crate) const MAX_PAYLOAD: usize = 16 << 20;
const MAX_FRAME: usize = FRAME_HEAD + MAX_PAYLOAD + 32;
