use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{self, ConsistencyProof, FetchError, InclusionProof, Reader, Source};

use crate::{Client, Error, TreeHead, Verified, log_reader::Prove, tree_head::inclusion};

/// A log that is read as c2sp.org/static-ct-api says.
pub(crate) struct StaticCtLog<'a> {
    origin: &'a str,
    key: &'a LogKey,
    reader: Reader<Files<'a>>,
    files: Files<'a>,
}

#[derive(Clone, Copy)]
struct Files<'a>(&'a Client);

impl<'a> StaticCtLog<'a> {
    pub(crate) fn new(log: &'a Client, origin: &'a str, key: &'a LogKey) -> Self {
        Self {
            origin,
            key,
            reader: Reader::new(Files(log), origin, key.clone()),
            files: Files(log),
        }
    }
}

impl Prove for StaticCtLog<'_> {
    fn head(&self) -> Result<TreeHead, Error> {
        let path = "checkpoint".to_owned();
        let note = match self.files.fetch(&path) {
            Ok(Some(note)) => note,
            Ok(None) => return Err(inclusion(reader::Error::Missing { path })),
            Err(source) => return Err(inclusion(reader::Error::Fetch { path, source })),
        };
        TreeHead::verify(&note, Some(self.origin), self.key).map_err(inclusion)
    }

    fn inclusion(
        &self,
        head: &TreeHead,
        verified: &Verified,
    ) -> Result<Option<InclusionProof>, Error> {
        let entry = verified.precertificate.entry();
        let proven = self
            .reader
            .inclusion_of(head.checkpoint(), entry, &verified.timestamp);
        match proven {
            Ok(proof) => Ok(Some(proof)),
            Err(reader::Error::NotInTree { .. }) => Ok(None),
            Err(error) => Err(inclusion(error)),
        }
    }

    fn consistency(&self, old: &TreeHead, new: &TreeHead) -> Result<ConsistencyProof, Error> {
        let proven = self.reader.consistency(old.checkpoint(), new.checkpoint());
        proven.map_err(|source| Error::Consistency {
            size: old.checkpoint().size(),
            source,
        })
    }
}

impl Source for Files<'_> {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        match self.0.bytes(&format!("/{path}")) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
