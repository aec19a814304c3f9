//! Two kinds of logs behind HTTP, and certificates that they hold.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use fulcio_client::{Client, LogReader, Trust};
use fulcio_ct_client::{
    DigitallySigned, Entry, LogKey, SignatureScheme, SignedCertificateTimestamp, Submission,
    TransparencyLog as _,
};
use fulcio_ct_log::{EmbeddedLog, Options, reader::leaf_hash};
use fulcio_testkit::log::FakeLog;
use pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::authority::{Authority, Key, Manner, ada};

/// What a server answers to a path: a body, or 404.
type Answer = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// A server on loopback. Its thread ends with the test.
pub(crate) struct Served {
    pub(crate) url: String,
    answer: Arc<Mutex<Arc<Answer>>>,
}

impl Served {
    pub(crate) fn new(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer: Arc<Mutex<Arc<Answer>>> = Arc::new(Mutex::new(Arc::new(answer)));
        let shared = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                for line in lines {
                    if line.unwrap().is_empty() {
                        break;
                    }
                }
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let answer = Arc::clone(&shared.lock().unwrap());
                let (status, body) = match answer(path.trim_start_matches('/')) {
                    Some(body) => ("200 OK", body),
                    None => ("404 Not Found", Vec::new()),
                };
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        Self { url, answer }
    }

    /// Answers in another way from now on.
    pub(crate) fn answer(&self, answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url, &[], Duration::from_secs(10))
    }
}

pub(crate) const ORIGIN: &str = "log.example.com/test";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// An embedded log in a folder, with a clock of its own.
pub(crate) struct StaticLog {
    pub(crate) log: Arc<EmbeddedLog>,
    pub(crate) folder: TempDir,
    runtime: Runtime,
}

impl StaticLog {
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), FakeLog::TIMESTAMP)
    }

    /// Opens what is in the folder. `now` is what its clock says, in milliseconds since 1970.
    pub(crate) fn open(folder: TempDir, now: u64) -> Self {
        let runtime = Runtime::new().unwrap();
        let clock = AtomicU64::new(now);
        let clock = move || {
            let ms = clock.fetch_add(1, Ordering::Relaxed);
            SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
        };
        let mut options = Options::new(clock).with_origin(ORIGIN);
        options.publish_interval = Duration::from_millis(1);
        let log = {
            let _entered = runtime.enter();
            Arc::new(EmbeddedLog::open(folder.path(), options).unwrap())
        };
        Self {
            log,
            folder,
            runtime,
        }
    }

    /// A log of the same name and key that goes its own way from here, by a clock that says `now`.
    pub(crate) fn forked(self, now: u64) -> [Self; 2] {
        self.runtime.block_on(self.log.close()).unwrap();
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), copy.path());
        drop(self.log);
        [
            Self::open(self.folder, FakeLog::TIMESTAMP + 1000),
            Self::open(copy, now),
        ]
    }

    pub(crate) fn key(&self) -> LogKey {
        self.log.key().clone()
    }

    /// A good certificate of Ada; the log has published it.
    pub(crate) fn certified(&self, authority: &Authority) -> CertificateDer<'static> {
        let manner = Manner {
            principal: ada(),
            tamper: &|_tbs| {},
            timestamps: &|entry| vec![self.promise(*entry)],
        };
        authority.issue_as(manner).certificate
    }

    /// Adds some entries.
    pub(crate) fn grow(&self, by: u8) {
        for _ in 0..by {
            // A log gives the same entry the same place.
            let name = format!("entry {}", NEXT.fetch_add(1, Ordering::Relaxed));
            self.promise(Entry::Certificate(name.as_bytes()));
        }
    }

    fn promise(&self, entry: Entry<'_>) -> SignedCertificateTimestamp {
        let certificate = match entry {
            Entry::Certificate(der) => CertificateDer::from(der.to_vec()),
            Entry::Precertificate { .. } => CertificateDer::from(b"a precertificate".to_vec()),
        };
        let submission = Submission {
            entry,
            certificate: &certificate,
            issuers: &[],
        };
        self.runtime.block_on(async {
            let timestamp = self.log.submit(submission).await.unwrap();
            let index = timestamp.leaf_index().unwrap().unwrap();
            self.log.published(index + 1).await.unwrap();
            timestamp
        })
    }

    /// The log as it is, for a server to answer with.
    pub(crate) fn files(&self) -> impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + use<> {
        let log = Arc::clone(&self.log);
        move |path| Some(log.read(path).unwrap()?.bytes)
    }

    pub(crate) fn checkpoint(&self) -> Vec<u8> {
        self.files()("checkpoint").unwrap()
    }

    pub(crate) fn trusted_with(&self, authority: &Authority) -> Trust {
        Trust::new(vec![authority.chain().to_vec()], vec![self.key()])
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Reads `served` without patience.
pub(crate) fn reader(served: &Served, key: LogKey) -> LogReader {
    LogReader::new(served.client(), ORIGIN, key).with_patience(Duration::ZERO)
}

/// What an RFC 6962 log with three entries answers; the first is a certificate's.
pub(crate) struct OldLog {
    signer: Key,
    pub(crate) key: LogKey,
    leaves: Mutex<[[u8; 32]; 3]>,
}

impl OldLog {
    pub(crate) fn new() -> Self {
        let signer = Key::new();
        let key = LogKey::from_spki(signer.spki()).unwrap();
        let leaves = Mutex::new([[0; 32], [1; 32], [2; 32]]);
        Self {
            signer,
            key,
            leaves,
        }
    }

    pub(crate) fn certified(&self, authority: &Authority) -> CertificateDer<'static> {
        let manner = Manner {
            principal: ada(),
            tamper: &|_tbs| {},
            timestamps: &|entry| {
                let message = entry.to_be_signed(FakeLog::TIMESTAMP, &[]).unwrap();
                self.leaves.lock().unwrap()[0] = leaf_hash(*entry, FakeLog::TIMESTAMP, &[]);
                let id = self.key.id();
                let signed = self.signed(&message);
                let timestamp =
                    SignedCertificateTimestamp::new(id, FakeLog::TIMESTAMP, vec![], signed);
                vec![timestamp.unwrap()]
            },
        };
        authority.issue_as(manner).certificate
    }

    fn signed(&self, message: &[u8]) -> DigitallySigned {
        DigitallySigned {
            scheme: SignatureScheme::ECDSA_SHA256,
            signature: self.signer.sign(message),
        }
    }

    /// The answer to get-sth for the tree of the first `size` entries.
    pub(crate) fn tree_head(&self, size: u64) -> serde_json::Value {
        let [a, b, c] = *self.leaves.lock().unwrap();
        let root = match size {
            2 => node(&a, &b),
            3 => node(&node(&a, &b), &c),
            _ => a,
        };
        let time = FakeLog::TIMESTAMP + 1000 * size;
        let mut message = vec![0, 1];
        message.extend(time.to_be_bytes());
        message.extend(size.to_be_bytes());
        message.extend(root);
        let signed = self.signed(&message);
        let mut signature = signed.scheme.0.to_vec();
        signature.extend(u16::try_from(signed.signature.len()).unwrap().to_be_bytes());
        signature.extend(signed.signature);
        serde_json::json!({
            "tree_size": size,
            "timestamp": time,
            "sha256_root_hash": base64(&root),
            "tree_head_signature": base64(&signature),
        })
    }

    /// The log with the first `size` entries.
    pub(crate) fn answers(
        &self,
        size: u64,
    ) -> impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + use<> {
        let head = self.tree_head(size);
        let [a, b, c] = self.leaves.lock().unwrap().map(|leaf| base64(&leaf));
        let asked = url_encoded(&a);
        move |path| {
            let path = path.strip_prefix("ct/v1/")?;
            let answer = if path == "get-sth" {
                head.clone()
            } else if path == format!("get-proof-by-hash?hash={asked}&tree_size={size}") {
                let path = [&b, &c]
                    .into_iter()
                    .take(usize::try_from(size).unwrap() - 1);
                serde_json::json!({"leaf_index": 0, "audit_path": path.collect::<Vec<_>>()})
            } else if path == "get-sth-consistency?first=2&second=3" {
                serde_json::json!({ "consistency": [c] })
            } else {
                return None;
            };
            Some(answer.to_string().into_bytes())
        }
    }

    pub(crate) fn trusted_with(&self, authority: &Authority) -> Trust {
        Trust::new(vec![authority.chain().to_vec()], vec![self.key.clone()])
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let bytes = [&[1][..], left, right].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    digest.as_ref().try_into().unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
