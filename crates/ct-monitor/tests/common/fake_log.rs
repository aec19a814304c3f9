use core::fmt;
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{FetchError, Hash, Source};
use fulcio_ct_monitor::{MonitoredLog, Protocol};
use pki_types::SubjectPublicKeyInfoDer;
use serde_json::{Value, json};

use super::START;

pub(crate) const ORIGIN: &str = "log.example.com/2026";

/// A log in memory that serves one tree in both protocols, straight from RFC 6962 and
/// c2sp.org/static-ct-api. It signs and serves whatever it is told to.
pub(crate) struct FakeLog {
    pair: EcdsaKeyPair,
    now: AtomicU64,
    leaves: Mutex<Vec<Leaf>>,
    /// Entries that it gives at once by `get-entries`.
    page: AtomicU64,
    down: AtomicBool,
    replaced: Mutex<Vec<(String, Option<Vec<u8>>)>>,
    asked: AtomicU64,
}

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Certificate(Vec<u8>),
    Precertificate(Vec<u8>),
    /// What stands in place of the `MerkleTreeLeaf`; only RFC 6962 can serve it.
    Garbage(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Leaf {
    entry: Entry,
    timestamp: u64,
    index: u64,
    hash: Hash,
}

impl Leaf {
    /// `TimestampedEntry` of RFC 6962, section 3.4.
    fn timestamped(&self) -> Vec<u8> {
        let mut out = self.timestamp.to_be_bytes().to_vec();
        let der = match &self.entry {
            Entry::Certificate(der) => {
                out.extend([0, 0]);
                der
            }
            Entry::Precertificate(tbs) => {
                out.extend([0, 1]);
                out.extend([7; 32]);
                tbs
            }
            Entry::Garbage(_) => unreachable!(),
        };
        out.extend(&der.len().to_be_bytes()[5..]);
        out.extend(der);
        out.extend([0, 8, 0, 0, 5]);
        out.extend(&self.index.to_be_bytes()[3..]);
        out
    }

    fn merkle_leaf(&self) -> Vec<u8> {
        match &self.entry {
            Entry::Garbage(garbage) => garbage.clone(),
            _ => [&[0, 0], &self.timestamped()[..]].concat(),
        }
    }

    fn hashed(mut self) -> Self {
        self.hash = sha256(&[&[0], &self.merkle_leaf()[..]].concat());
        self
    }

    /// `TileLeaf` of static-ct-api.
    fn tile_leaf(&self) -> Vec<u8> {
        let mut out = self.timestamped();
        if let Entry::Precertificate(_) = &self.entry {
            out.extend([0, 0, 1, 9]);
        }
        out.extend([0, 0]);
        out
    }
}

impl FakeLog {
    pub(crate) fn new() -> Self {
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            now: AtomicU64::new(START),
            leaves: Mutex::default(),
            page: AtomicU64::new(1000),
            down: AtomicBool::new(false),
            replaced: Mutex::default(),
            asked: AtomicU64::new(0),
        }
    }

    pub(crate) fn key(&self) -> LogKey {
        let der = self.pair.public_key().as_der().unwrap();
        LogKey::from_spki(SubjectPublicKeyInfoDer::from(der.as_ref().to_vec())).unwrap()
    }

    pub(crate) fn followed(&self, protocol: Protocol) -> MonitoredLog {
        match protocol {
            Protocol::StaticCt => MonitoredLog::static_ct(ORIGIN, self.key()),
            _ => {
                let mut log = MonitoredLog::rfc6962(ORIGIN, self.key());
                log.stopped_after = MonitoredLog::static_ct(ORIGIN, self.key()).stopped_after;
                log
            }
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Lets time pass for everybody.
    pub(crate) fn pass(&self, millis: u64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn add(&self, entry: Entry) {
        let mut leaves = self.leaves.lock().unwrap();
        let (timestamp, index) = (self.now(), leaves.len() as u64);
        let leaf = Leaf {
            entry,
            timestamp,
            index,
            hash: [0; 32],
        };
        leaves.push(leaf.hashed());
    }

    pub(crate) fn add_all(&self, entries: impl IntoIterator<Item = Entry>) {
        entries.into_iter().for_each(|entry| self.add(entry));
    }

    /// Forgets the entries from this one on.
    pub(crate) fn forget_from(&self, index: usize) {
        self.leaves.lock().unwrap().truncate(index);
    }

    pub(crate) fn size(&self) -> usize {
        self.leaves.lock().unwrap().len()
    }

    pub(crate) fn give_at_once(&self, entries: u64) {
        self.page.store(entries, Ordering::SeqCst);
    }

    /// Answers nothing any more, or again.
    pub(crate) fn go_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Answers a path, or every path below one that ends with a slash or with `=`, with something
    /// else, or with nothing.
    pub(crate) fn replace(&self, path: &str, answer: Option<Vec<u8>>) {
        self.replaced
            .lock()
            .unwrap()
            .push((path.to_owned(), answer));
    }

    pub(crate) fn replace_nothing(&self) {
        self.replaced.lock().unwrap().clear();
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it answers when nothing is replaced.
    pub(crate) fn honest(&self, path: &str) -> Option<Vec<u8>> {
        let hashes: Vec<Hash> = self
            .leaves
            .lock()
            .unwrap()
            .iter()
            .map(|leaf| leaf.hash)
            .collect();
        if path == "checkpoint" {
            return Some(self.checkpoint(&hashes).into_bytes());
        }
        if path == "ct/v1/get-sth" {
            return Some(self.sth(&hashes).to_string().into_bytes());
        }
        if let Some(query) = path.strip_prefix("ct/v1/get-sth-consistency?first=") {
            let (first, second) = query.split_once("&second=")?;
            let (first, second): (usize, usize) = (first.parse().ok()?, second.parse().ok()?);
            let nodes = subproof(first, hashes.get(..second)?, true);
            let nodes: Vec<_> = nodes.iter().map(|node| STANDARD.encode(node)).collect();
            return Some(json!({ "consistency": nodes }).to_string().into_bytes());
        }
        if let Some(query) = path.strip_prefix("ct/v1/get-entries?start=") {
            let (start, end) = query.split_once("&end=")?;
            let (start, end): (usize, usize) = (start.parse().ok()?, end.parse().ok()?);
            let leaves = self.leaves.lock().unwrap();
            let wanted = leaves.get(start..=end)?;
            let page = self.page.load(Ordering::SeqCst) as usize;
            let entries = wanted.iter().take(page).map(|leaf| {
                json!({ "leaf_input": STANDARD.encode(leaf.merkle_leaf()), "extra_data": "" })
            });
            let entries: Vec<_> = entries.collect();
            return Some(json!({ "entries": entries }).to_string().into_bytes());
        }
        self.tile(path.strip_prefix("tile/")?, &hashes)
    }

    /// The tile with this name; there are fewer than a thousand of a kind.
    fn tile(&self, name: &str, hashes: &[Hash]) -> Option<Vec<u8>> {
        let (kind, rest) = name.split_once('/')?;
        let (index, width) = rest.split_once(".p/").unwrap_or((rest, "256"));
        let (index, width): (usize, usize) = (index.parse().ok()?, width.parse().ok()?);
        if kind == "data" {
            let leaves = self.leaves.lock().unwrap();
            let leaves = leaves.get(index * 256..index * 256 + width)?;
            return Some(leaves.iter().flat_map(Leaf::tile_leaf).collect());
        }
        let span = 256usize.pow(kind.parse().ok()?);
        let positions = index * 256..index * 256 + width;
        let nodes = positions.map(|at| hashes.get(at * span..(at + 1) * span).map(tree_hash));
        Some(nodes.collect::<Option<Vec<_>>>()?.concat())
    }

    fn sign(&self, size: usize, root: &Hash) -> Vec<u8> {
        let mut head = vec![0, 1];
        head.extend(self.now().to_be_bytes());
        head.extend((size as u64).to_be_bytes());
        head.extend(root);
        let signature = self.pair.sign(&SystemRandom::new(), &head).unwrap();
        let signature = signature.as_ref();
        let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
        [&[4, 3], &length[..], signature].concat()
    }

    fn sth(&self, hashes: &[Hash]) -> Value {
        let root = tree_hash(hashes);
        json!({
            "tree_size": hashes.len(),
            "timestamp": self.now(),
            "sha256_root_hash": STANDARD.encode(root),
            "tree_head_signature": STANDARD.encode(self.sign(hashes.len(), &root)),
        })
    }

    fn checkpoint(&self, hashes: &[Hash]) -> String {
        let root = tree_hash(hashes);
        let key_id = sha256(&[ORIGIN.as_bytes(), b"\n\x05", &self.key().id()].concat());
        let mut signature = key_id[..4].to_vec();
        signature.extend(self.now().to_be_bytes());
        signature.extend(self.sign(hashes.len(), &root));
        format!(
            "{ORIGIN}\n{}\n{}\n\n\u{2014} {ORIGIN} {}\n",
            hashes.len(),
            STANDARD.encode(root),
            STANDARD.encode(signature)
        )
    }
}

impl Source for &FakeLog {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err("the log is down".into());
        }
        let replaced = self.replaced.lock().unwrap();
        let meant = |asked: &String| {
            path == asked || asked.ends_with(['/', '=']) && path.starts_with(asked)
        };
        match replaced.iter().find(|(asked, _)| meant(asked)) {
            Some((_, answer)) => Ok(answer.clone()),
            None => Ok(self.honest(path)),
        }
    }
}

impl fmt::Debug for FakeLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeLog")
    }
}

/// RFC 6962, section 2.1.
fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &tree_hash(left)[..], &tree_hash(right)[..]].concat())
        }
    }
}

/// RFC 6962, section 2.1.2.
fn subproof(m: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if complete {
            vec![]
        } else {
            vec![tree_hash(leaves)]
        };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let mut proof;
    if m <= left.len() {
        proof = subproof(m, left, complete);
        proof.push(tree_hash(right));
    } else {
        proof = subproof(m - left.len(), right, false);
        proof.push(tree_hash(left));
    }
    proof
}

fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}
