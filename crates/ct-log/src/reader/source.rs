use super::Error;
use crate::{
    leaf::TileLeaf,
    tile::{TileKind, TileName},
};

/// Why a [`Source`] has nothing to give. Boxed, because sources come from strangers.
pub type FetchError = Box<dyn core::error::Error + Send + Sync>;

/// Fetches what a log serves below its monitoring prefix.
///
/// Whoever implements it bounds the time and the size of an answer, and undoes the
/// `Content-Encoding: gzip` that logs may use unasked.
pub trait Source {
    /// The content of `path`, such as `checkpoint` or `tile/0/x001/234`; nothing when the log has
    /// no such thing.
    ///
    /// # Errors
    ///
    /// The log did not answer.
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError>;
}

impl<F> Source for F
where
    F: Fn(&str) -> Result<Option<Vec<u8>>, FetchError>,
{
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        self(path)
    }
}

/// Fetches what has to be there.
pub(super) fn required(source: &(impl Source + ?Sized), path: &str) -> Result<Vec<u8>, Error> {
    optional(source, path)?.ok_or_else(|| Error::Missing {
        path: path.to_owned(),
    })
}

/// Fetches a tile; a partial one that is gone is cut out of the full one.
pub(super) fn tile(source: &(impl Source + ?Sized), name: TileName) -> Result<Vec<u8>, Error> {
    let path = name.to_string();
    if name.is_full() {
        return required(source, &path);
    }
    if let Some(content) = optional(source, &path)? {
        return Ok(content);
    }
    let Some(mut content) = optional(source, &name.full().to_string())? else {
        return Err(Error::Missing { path });
    };
    cut(&mut content, name).ok_or(Error::Malformed { path })?;
    Ok(content)
}

/// Makes a wider version of a tile as wide as `name`; nothing when it is not as wide.
pub(crate) fn cut(content: &mut Vec<u8>, name: TileName) -> Option<()> {
    let length = match name.kind {
        TileKind::Hashes(_) => usize::try_from(name.width).ok()? * 32,
        TileKind::Data => {
            let mut rest = content.as_slice();
            for _ in 0..name.width {
                rest = TileLeaf::parse(rest)?.1;
            }
            content.len() - rest.len()
        }
    };
    (content.len() >= length).then(|| content.truncate(length))
}

fn optional(source: &(impl Source + ?Sized), path: &str) -> Result<Option<Vec<u8>>, Error> {
    source.fetch(path).map_err(|source| Error::Fetch {
        path: path.to_owned(),
        source,
    })
}
