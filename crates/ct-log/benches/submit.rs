//! Submissions to a log on the disk of the target folder, fdatasync and all.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use divan::{Bencher, counter::ItemsCount};
use fulcio_ct_client::{Entry, Submission, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Options};
use pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

/// Each round submits as many entries as are in flight at once, of a certificate's usual size.
#[divan::bench(args = [1, 16, 256], sample_count = 200, sample_size = 1)]
fn in_flight(bencher: Bencher<'_, '_>, together: usize) {
    let runtime = Runtime::new().expect("a runtime");
    let (folder, log) = new_log();
    let issuers: Arc<[CertificateDer<'static>]> =
        Arc::new([vec![1; 600].into(), vec![2; 500].into()]);
    let mut number: u64 = 0;
    bencher.counter(ItemsCount::new(together)).bench_local(|| {
        let tasks: Vec<_> = (0..together)
            .map(|_| {
                number += 1;
                let mut tbs = vec![0; 700];
                tbs[..8].copy_from_slice(&number.to_be_bytes());
                let (log, issuers) = (Arc::clone(&log), Arc::clone(&issuers));
                runtime.spawn(async move {
                    let certificate = CertificateDer::from(tbs.repeat(1));
                    let entry = Entry::Precertificate {
                        issuer_key_hash: [1; 32],
                        tbs: &tbs,
                    };
                    let submission = Submission {
                        entry,
                        certificate: &certificate,
                        issuers: &issuers,
                    };
                    log.submit(submission).await.expect("a healthy log")
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("no panic");
        }
    });
    runtime.block_on(log.close()).expect("a healthy log");
    drop(folder);
}

fn new_log() -> (TempDir, Arc<EmbeddedLog>) {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = tempfile::tempdir_in(target).expect("a folder on a real disk");
    let now = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let options = Options::new(now).with_origin("log.example.com/bench");
    let log = EmbeddedLog::open(folder.path(), options).expect("a new log");
    (folder, Arc::new(log))
}
