use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fulcio_ct_client::{Entry, LogKey, Submission, TransparencyLog as _};
use fulcio_ct_log::{
    EmbeddedLog, Options,
    reader::{Checkpoint, FetchError, Reader, TileLeaf},
};
use p256::pkcs8::EncodePrivateKey as _;
use pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use crate::{
    fixed::{NOW_SECONDS, P256, line, now, p256_signature, p256_spki},
    tokens::block_on,
};

const ORIGIN: &str = "log.example.com/2026";

/// More than one tile of entries, so that there are full and partial tiles.
const ENTRIES: u64 = 270;

static KEY: LazyLock<LogKey> =
    LazyLock::new(|| LogKey::from_spki(p256_spki()).expect("a log's key"));

/// A log with entries, and all that it serves.
struct Published {
    log: EmbeddedLog,
    files: BTreeMap<String, Vec<u8>>,
    checkpoint: Checkpoint,
    _folder: TempDir,
}

static LOG: LazyLock<Published> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let key = P256.to_pkcs8_der().expect("encodable");
    let mut options = Options::new(now).with_origin(ORIGIN);
    options.key = Some(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()));
    let log = EmbeddedLog::open(folder.path().join("log"), options).expect("a log");
    block_on(async {
        for number in 0..ENTRIES {
            let certificate = CertificateDer::from(number.to_be_bytes().to_vec());
            let submission = Submission {
                entry: Entry::Certificate(&certificate),
                certificate: &certificate,
                issuers: &[CertificateDer::from_slice(b"issuer")],
            };
            log.submit(submission).await.expect("an entry");
        }
        log.close().await.expect("published");
    });
    let checkpoint = log.checkpoint();
    assert_eq!(checkpoint.size(), ENTRIES);
    let mut files = BTreeMap::new();
    for path in [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/14",
        "tile/1/000.p/1",
        "tile/data/000",
        "tile/data/001.p/14",
    ] {
        let resource = log.read(path).expect("readable").expect("published");
        files.insert(path.to_owned(), resource.bytes);
    }
    Published {
        log,
        files,
        checkpoint,
        _folder: folder,
    }
});

/// What a stranger asks a log for: only what is published is served, under the one spelling of its path.
pub fn log_path(data: &[u8]) {
    let Ok(path) = core::str::from_utf8(data) else {
        return;
    };
    let Ok(Some(resource)) = LOG.log.read(path) else {
        return;
    };
    if path.starts_with("issuer/") {
        assert_eq!(resource.bytes, b"issuer", "{path}");
        return;
    }
    // A tile may be asked for when it was narrower; that is the beginning of what is there.
    let whole = path.split_once(".p/").map_or(path, |(path, _)| path);
    let mut known = LOG.files.iter().filter(|(name, _)| {
        name.as_str() == whole
            || name
                .split_once(".p/")
                .is_some_and(|(name, _)| name == whole)
    });
    let (_, content) = known.next().unwrap_or_else(|| panic!("{path:?} is served"));
    assert!(content.starts_with(&resource.bytes), "{path}");
    assert!(!resource.bytes.is_empty());
}

/// A path of a log and, after a line end, what stands there in place of what the log has published. What a reader
/// takes for proven is what the log has.
pub fn tile(data: &[u8]) {
    let (path, content) = line(data);
    let source = |asked: &str| -> Result<Option<Vec<u8>>, FetchError> {
        if asked.as_bytes() == path {
            return Ok(Some(content.to_vec()));
        }
        Ok(LOG.files.get(asked).cloned())
    };
    let reader = Reader::new(source, ORIGIN, KEY.clone());
    let checkpoint = &LOG.checkpoint;
    for index in [0, 255, 256, ENTRIES - 1] {
        let certificate = index.to_be_bytes();
        if let Ok(tile) = reader.entries(checkpoint, index) {
            let leaf = tile.leaf(index).expect("the entry that was asked for");
            assert_eq!(leaf.index(), Some(index));
            assert_eq!(leaf.entry, Entry::Certificate(&certificate));
            assert_eq!(leaf.timestamp / 1000, NOW_SECONDS);
            if let Ok(proof) = reader.inclusion(checkpoint, index) {
                assert!(proof.verify(&leaf.hash(), &checkpoint.root()).is_ok());
            }
        }
    }
    if let Ok(found) = reader.checkpoint() {
        assert_eq!(
            (found.size(), found.root()),
            (checkpoint.size(), checkpoint.root())
        );
    }
    if let Ok(issuer) = reader.issuer(&[0; 32]) {
        panic!("{issuer:?} has a digest of zeros");
    }
}

/// Entries of a data tile, one after the other: what is read of each is all that it was made of.
pub fn tile_leaf(data: &[u8]) {
    let mut rest = data;
    while let Some((leaf, after)) = TileLeaf::parse(rest) {
        let own = &rest[..rest.len() - after.len()];
        assert_eq!(written(&leaf), own);
        let (again, nothing) = TileLeaf::parse(own).expect("the same entry alone");
        assert!(nothing.is_empty());
        assert_eq!((again.hash(), again.index()), (leaf.hash(), leaf.index()));
        assert!(leaf.index().is_none_or(|index| index < 1 << 40));
        rest = after;
    }
}

/// `TileLeaf` of c2sp.org/static-ct-api.
fn written(leaf: &TileLeaf<'_>) -> Vec<u8> {
    let mut out = leaf.timestamp.to_be_bytes().to_vec();
    let opaque = |out: &mut Vec<u8>, octets: usize, bytes: &[u8]| {
        out.extend(&bytes.len().to_be_bytes()[size_of::<usize>() - octets..]);
        out.extend(bytes);
    };
    let is_precertificate = match leaf.entry {
        Entry::Certificate(der) => {
            out.extend([0, 0]);
            opaque(&mut out, 3, der);
            false
        }
        Entry::Precertificate {
            issuer_key_hash,
            tbs,
        } => {
            out.extend([0, 1]);
            out.extend(issuer_key_hash);
            opaque(&mut out, 3, tbs);
            true
        }
    };
    opaque(&mut out, 2, leaf.extensions);
    if is_precertificate {
        opaque(&mut out, 3, leaf.certificate);
    }
    let issuers: Vec<u8> = leaf.issuers().flatten().collect();
    opaque(&mut out, 2, &issuers);
    out
}

/// A checkpoint. As it is, only the log's own verifies; its size, root and time are then signed, and what is
/// read of that is what was signed.
pub fn checkpoint(data: &[u8]) {
    if let Ok(believed) = Checkpoint::verify(data, ORIGIN, &KEY) {
        assert_eq!(believed.origin(), ORIGIN);
    }
    let Ok(note) = core::str::from_utf8(data) else {
        return;
    };
    let mut lines = note.split('\n');
    let (_, Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    let Ok(size) = size.parse::<u64>() else {
        return;
    };
    let Some(root) = BASE64_STANDARD
        .decode(root)
        .ok()
        .and_then(|root| <[u8; 32]>::try_from(root).ok())
    else {
        return;
    };
    let timestamp = NOW_SECONDS * 1000;
    let signed = format!("{note}{}", signature_line(timestamp, size, &root));
    if let Ok(believed) = Checkpoint::verify(signed.as_bytes(), ORIGIN, &KEY) {
        assert_eq!(believed.origin(), ORIGIN);
        assert_eq!(note.split('\n').next(), Some(ORIGIN));
        assert_eq!((believed.size(), believed.root()), (size, root));
        assert!(note.contains("\n\n"), "{note:?}");
    }
}

/// A signature line of a checkpoint (c2sp.org/static-ct-api) by the fixed key.
fn signature_line(timestamp: u64, size: u64, root: &[u8; 32]) -> String {
    let mut head = vec![0, 1];
    head.extend(timestamp.to_be_bytes());
    head.extend(size.to_be_bytes());
    head.extend(root);
    let signature = p256_signature(&head);
    let mut name = ORIGIN.as_bytes().to_vec();
    name.extend([b'\n', 5]);
    name.extend(KEY.id());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &name);
    let mut content = digest.as_ref()[..4].to_vec();
    content.extend(timestamp.to_be_bytes());
    content.extend([4, 3]);
    content.extend(u16::try_from(signature.len()).expect("short").to_be_bytes());
    content.extend(signature);
    format!("\u{2014} {ORIGIN} {}\n", BASE64_STANDARD.encode(content))
}
