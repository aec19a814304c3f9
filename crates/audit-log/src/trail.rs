use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Deserialize;

use crate::{Digest, Error, files::FileLine, line::Line, notice::FORMAT};

/// What a trail says that logs should have. Lines that are not good are passed over: whether there
/// are any, [`verify`](crate::verify) tells.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// Of each node, the time of its first line.
    pub(crate) began: BTreeMap<String, SystemTime>,
    /// The precertificates in lines of any outcome, by issuer key hash and TBS hash.
    pub(crate) precertificates: BTreeSet<(Digest, Digest)>,
    /// The certificates in lines.
    pub(crate) certificates: BTreeSet<Digest>,
    /// The promises in lines of issued certificates.
    pub(crate) promises: Vec<Promise>,
    /// Of the issuers of precertificates, the hashes of their keys.
    pub(crate) issuer_keys: BTreeSet<Digest>,
    /// Records that the trail says that it has not.
    pub(crate) lost: u64,
}

/// A log's promise for a certificate in a trail.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) node: String,
    pub(crate) seq: u64,
    pub(crate) log: Digest,
    pub(crate) timestamp: u64,
    pub(crate) place: Place,
    pub(crate) serial: Option<String>,
}

/// What the promise is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Certificate(Digest),
    Precertificate { issuer_key: Digest, tbs: Digest },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    certificate: Option<Digest>,
    precertificate: Option<Precertificate>,
    serial: Option<String>,
    #[serde(default)]
    timestamps: Vec<LoggedAt>,
    #[serde(default)]
    abandoned: u64,
    #[serde(default)]
    issued: u64,
    #[serde(default)]
    refused: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Precertificate {
    issuer_key: Digest,
    tbs: Digest,
}

#[derive(Deserialize)]
struct LoggedAt {
    log: Digest,
    timestamp: u64,
}

impl Trail {
    /// Reads files, of one node or several, in any order.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn read(files: &[PathBuf]) -> Result<Self, Error> {
        let mut trail = Self::default();
        for path in files {
            let file = File::open(path).map_err(Error::io("open", path))?;
            let mut node = String::new();
            for line in BufReader::new(file).split(b'\n') {
                let bytes = line.map_err(Error::io("read", path))?;
                let Ok(line) = Line::read(&bytes) else {
                    continue;
                };
                if line.kind == "file"
                    && let Some(first) = FileLine::read(&bytes)
                {
                    node = first.node;
                }
                trail.take(&node, &line, &bytes);
            }
        }
        Ok(trail)
    }

    /// The hashes of the keys whose precertificates are in it.
    #[must_use]
    pub fn issuer_keys(&self) -> &BTreeSet<Digest> {
        &self.issuer_keys
    }

    fn take(&mut self, node: &str, line: &Line<'_>, bytes: &[u8]) {
        if let Ok(time) = humantime::parse_rfc3339(line.time) {
            let began = self.began.entry(node.to_owned()).or_insert(time);
            *began = time.min(*began);
        }
        let Ok(content) = serde_json::from_slice::<Content>(bytes) else {
            return;
        };
        if line.kind == "lost" {
            self.lost += content.abandoned + content.issued + content.refused;
        }
        self.certificates.extend(content.certificate);
        if let Some(Precertificate { issuer_key, tbs }) = content.precertificate {
            self.precertificates.insert((issuer_key, tbs));
            self.issuer_keys.insert(issuer_key);
        }
        let place = match (content.precertificate, content.certificate) {
            (Some(Precertificate { issuer_key, tbs }), _) => {
                Place::Precertificate { issuer_key, tbs }
            }
            (None, Some(certificate)) => Place::Certificate(certificate),
            (None, None) => return,
        };
        for promised in content.timestamps {
            self.promises.push(Promise {
                node: node.to_owned(),
                seq: line.seq,
                log: promised.log,
                timestamp: promised.timestamp,
                place,
                serial: content.serial.clone(),
            });
        }
    }
}

/// Sorts files by the node in their first lines, and those of a node by the place in its chain.
///
/// A file whose first line cannot be read comes to the only node that there is; where there are
/// several, to none.
///
/// # Errors
/// One cannot be read.
pub fn by_node(files: &[PathBuf]) -> Result<BTreeMap<Option<String>, Vec<PathBuf>>, Error> {
    let mut nodes: BTreeMap<Option<String>, Vec<(u64, PathBuf)>> = BTreeMap::new();
    for path in files {
        let (node, seq) = first_line(path)?;
        let seq = seq.unwrap_or(u64::MAX);
        nodes.entry(node).or_default().push((seq, path.clone()));
    }
    if nodes.len() == 2
        && let Some(unknown) = nodes.remove(&None)
        && let Some(known) = nodes.values_mut().next()
    {
        known.extend(unknown);
    }
    let sorted = nodes.into_iter().map(|(node, mut files)| {
        files.sort_by_key(|(seq, _)| *seq);
        (node, files.into_iter().map(|(_, path)| path).collect())
    });
    Ok(sorted.collect())
}

/// The node and the sequence number in the first line of a file, as far as they can be read.
fn first_line(path: &Path) -> Result<(Option<String>, Option<u64>), Error> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let file = File::open(path).map_err(Error::io("open", path))?;
    let mut line = Vec::new();
    BufReader::new(file)
        .read_until(b'\n', &mut line)
        .map_err(Error::io("read", path))?;
    let node = FileLine::read(&line).filter(|line| line.format == FORMAT);
    let seq = serde_json::from_slice::<Numbered>(&line).ok();
    Ok((node.map(|line| line.node), seq.map(|numbered| numbered.seq)))
}
