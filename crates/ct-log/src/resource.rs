use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    disk::Disk,
    error::Error,
    leaf::sha256,
    publisher::{Published, fingerprint_of, public},
    reader::cut,
    tile::{TileName, WIDTH},
};

/// Something that the log serves, with what an HTTP answer says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// The body. Data tiles may be compressed on the wire, with `Content-Encoding: gzip`.
    pub bytes: Vec<u8>,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Whether it may be cached for ever; what may not should be cached for a second at most.
    pub immutable: bool,
}

impl Resource {
    /// A name for its content: equal for equal bytes only, and fit for an `ETag` (RFC 9110,
    /// section 8.8.3), quotes not included.
    #[must_use]
    pub fn tag(&self) -> String {
        URL_SAFE_NO_PAD.encode(&sha256(&self.bytes)[..16])
    }

    /// Reads what the log serves at `path`, given what it has published. Nothing is served that
    /// is not in the published tree.
    pub(crate) fn read(
        disk: &dyn Disk,
        published: &Published,
        path: &str,
    ) -> Result<Option<Self>, Error> {
        if path == "checkpoint" {
            return Ok(Some(Self {
                bytes: published.note.clone().into_bytes(),
                content_type: "text/plain; charset=utf-8",
                immutable: false,
            }));
        }
        if let Some(fingerprint) = path.strip_prefix("issuer/") {
            if fingerprint_of(fingerprint).is_none() {
                return Ok(None);
            }
            return Ok(file(disk, path)?.map(|bytes| Self {
                bytes,
                content_type: "application/pkix-cert",
                immutable: true,
            }));
        }
        let Some(name) = TileName::parse(path) else {
            return Ok(None);
        };
        let size = published.checkpoint.size();
        let Some(widest) = TileName::holding(name.kind, name.index * WIDTH, size) else {
            return Ok(None);
        };
        if name.width > widest.width {
            return Ok(None);
        }
        let path = widest.to_string();
        // The partial tile is gone once the full one is there, published or not yet.
        let found = match file(disk, &path)? {
            None => file(disk, &widest.full().to_string())?,
            found => found,
        };
        let mut bytes = found.ok_or_else(|| Error::damaged(&public(&path), 0))?;
        cut(&mut bytes, name).ok_or_else(|| Error::damaged(&public(&path), 0))?;
        Ok(Some(Self {
            bytes,
            content_type: "application/octet-stream",
            immutable: true,
        }))
    }
}

fn file(disk: &dyn Disk, path: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = public(path);
    disk.read(&path).map_err(Error::disk("read", &path))
}
