//! The log by itself: how many entries a second it makes durable, and how long each one waits.
//!
//! It works on the disk of the target folder, fdatasync and all.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use fulcio_ct_client::{Entry, Submission, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Options};
use pki_types::CertificateDer;
use tokio::task::JoinSet;

/// How long each measurement takes, after a second that does not count.
const SPAN: Duration = Duration::from_secs(10);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("in flight  entries/s    p50 ms    p99 ms    max ms");
    for in_flight in [1, 16, 64, 256] {
        let mut waits = runtime.block_on(measure(in_flight));
        waits.sort_unstable();
        let at = |share: f64| {
            let place = (waits.len() - 1) as f64 * share;
            waits[place as usize].as_secs_f64() * 1000.0
        };
        println!(
            "{in_flight:>9}  {:>9.0}  {:>8.2}  {:>8.2}  {:>8.2}",
            waits.len() as f64 / SPAN.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0),
        );
    }
}

/// Keeps so many submissions in flight, of a certificate's usual size; gives how long each waited.
async fn measure(in_flight: u64) -> Vec<Duration> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(target).expect("a folder on a real disk");
    let now = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let options = Options::new(now).with_origin("log.example.com/bench");
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));
    let issuers: Arc<[CertificateDer<'static>]> =
        Arc::new([vec![1; 600].into(), vec![2; 500].into()]);
    let numbers = Arc::new(AtomicU64::new(0));
    let started = Instant::now() + Duration::from_secs(1);
    let mut lanes = JoinSet::new();
    for _ in 0..in_flight {
        let (log, issuers, numbers) = (log.clone(), issuers.clone(), numbers.clone());
        lanes.spawn(async move {
            let mut waits = Vec::new();
            let mut tbs = vec![0; 700];
            while started.elapsed() < SPAN {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                tbs[..8].copy_from_slice(&number.to_be_bytes());
                let certificate = CertificateDer::from([&tbs[..], &[7; 200]].concat());
                let submission = Submission {
                    entry: Entry::Precertificate {
                        issuer_key_hash: [1; 32],
                        tbs: &tbs,
                    },
                    certificate: &certificate,
                    issuers: &issuers,
                };
                let submitted = Instant::now();
                log.submit(submission).await.expect("a healthy log");
                if submitted >= started {
                    waits.push(submitted.elapsed());
                }
            }
            waits
        });
    }
    let waits = lanes.join_all().await.concat();
    log.close().await.expect("a healthy log");
    waits
}
